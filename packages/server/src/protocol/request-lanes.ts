/**
 * Which requests of one connection may be worked on at once. Requests of one lane overlap, up to the lane's width (so
 * pipelined writes share a group commit); a request of another lane waits until they have ended, and everything
 * behind it waits too. So each read sees every write before it and none behind it.
 */

import { assert } from '@kayadb/codec';

/** Reads are few at a time because an answer may weigh 16 MiB; `alone` is for what must not overlap with anything. */
const LANE_WIDTH = { write: Infinity, read: 4, alone: 1 } as const;

export type Lane = keyof typeof LANE_WIDTH;

interface WaitingRequest {
  readonly lane: Lane;
  readonly start: () => void;
}

export class RequestLanes {
  readonly #waiting: WaitingRequest[] = [];
  readonly #hasRoom: () => boolean;
  #lane: Lane = 'write';
  #active = 0;

  /** @param hasRoom - Whether a large answer has room. When that turns true again, call `startWaiting`. */
  constructor(hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** Starts `task` in this turn if it may, otherwise in its turn. Settles as the task does. */
  run<Result>(lane: Lane, task: () => Promise<Result>): Promise<Result> {
    if (this.#waiting.length === 0 && this.#mayStart(lane)) return this.#start(lane, task);
    return new Promise((resolve) => {
      this.#waiting.push({ lane, start: () => resolve(this.#start(lane, task)) });
    });
  }

  /** Starts what waits and may start by now. */
  startWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#mayStart(next.lane); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.start();
    }
  }

  #mayStart(lane: Lane): boolean {
    if (lane !== 'write' && !this.#hasRoom()) return false;
    return this.#active === 0 || (lane === this.#lane && this.#active < LANE_WIDTH[lane]);
  }

  async #start<Result>(lane: Lane, task: () => Promise<Result>): Promise<Result> {
    this.#lane = lane;
    this.#active++;
    try {
      return await task();
    } finally {
      this.#active--;
      assert(this.#active >= 0, 'a lane was left twice');
      this.startWaiting();
    }
  }
}
