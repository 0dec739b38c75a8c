/**
 * How many answers of one connection may be fetched at once. A fetch enters before it reads and leaves when its answer was sent, so answers pile up only
 * by those that are inside; the others wait in order, and while the client does not take what it has, none enters.
 *
 * Bound: what is inside brings at most 112 MiB: a frame of 64 and two values of 16, or six values, and the 16 that were there. Over 128 a connection is cut.
 */

import { assert } from '@kayadb/codec';

import type { FetchKind } from '../operations-2/attempt.ts';

const CAPACITY = 6;
const WEIGHT: Readonly<Record<FetchKind, number>> = { value: 1, frame: 4 };

interface WaitingFetch {
  readonly weight: number;
  readonly enter: () => void;
}

export class ReadRoom {
  readonly #hasRoom: () => boolean;
  readonly #waiting: WaitingFetch[] = [];
  #inside = 0;
  #isClosed = false;

  /** @param hasRoom - Whether an answer has room. When that turns true again, call `startWaiting`. */
  constructor(hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** Each one that has entered must leave once. @returns `undefined` when it entered at once. */
  enter(kind: FetchKind): Promise<void> | undefined {
    const weight = WEIGHT[kind];
    if (this.#waiting.length === 0 && this.#mayEnter(weight)) {
      this.#inside += weight;
      return undefined;
    }
    return new Promise((enter) => {
      this.#waiting.push({ weight, enter });
    });
  }

  leave(kind: FetchKind): void {
    this.#inside -= WEIGHT[kind];
    assert(this.#inside >= 0, 'a read has left twice');
    this.startWaiting();
  }

  /** Lets in what waits and may enter by now. */
  startWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#mayEnter(next.weight); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#inside += next.weight;
      next.enter();
    }
  }

  /** Nobody reads answers any more: all that wait are let in, to find that out. */
  close(): void {
    this.#isClosed = true;
    this.startWaiting();
  }

  #mayEnter(weight: number): boolean {
    return this.#isClosed || (this.#hasRoom() && this.#inside + weight <= CAPACITY);
  }
}
