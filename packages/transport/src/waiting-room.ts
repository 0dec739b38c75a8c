/**
 * Connections that have begun a handshake and not finished it: bounded by time and by count.
 *
 * When the room is full the one that has waited longest gives way. An honest handshake takes milliseconds, so that is nearly always one
 * that stalls, and somebody who opens any number of connections and says nothing keeps nobody else out.
 */

import type { Clock } from '@kayadb/codec';

export interface WaitingRoomOptions {
  readonly clock: Clock;
  /** Bound: how many wait. */
  readonly maxCount: number;
  /** Bound: how long each may wait. 0: for ever. */
  readonly timeoutMs: number;
}

export type ExpelReason = 'late' | 'crowded';

export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  /** In the order in which they came. */
  readonly #guests = new Set<{ readonly expel: (reason: ExpelReason) => void }>();

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#guests.size;
  }

  /** Expels the one that has waited longest when there is no place for another. */
  makeRoom(): void {
    const [oldest] = this.#guests;
    if (oldest !== undefined && this.#guests.size >= this.#options.maxCount) oldest.expel('crowded');
  }

  /**
   * @param onExpelled - Called at most once, and not after the returned function was.
   * @returns What is to be called when the wait is over. Idempotent.
   */
  enter(onExpelled: (reason: ExpelReason) => void): () => void {
    this.makeRoom();
    const { clock, timeoutMs } = this.#options;
    const guest = {
      expel: (reason: ExpelReason): void => {
        leave();
        onExpelled(reason);
      },
    };
    const timer = timeoutMs === 0 ? undefined : clock.setTimer(timeoutMs, () => guest.expel('late'));
    const leave = (): void => {
      timer?.cancel();
      this.#guests.delete(guest);
    };
    this.#guests.add(guest);
    return leave;
  }
}
