/**
 * One connection of an HTTP listener: it waits for a request, or for the answer to one, and each of the two only for so long.
 *
 * Invariant: at any moment either a place in the waiting room or a timer of its own ends it.
 */

import type { Socket } from 'node:net';

import type { Clock, Timer } from '@kayadb/codec';

import type { WaitingRoom } from '../waiting-room.ts';

export interface HttpVisitOptions {
  readonly room: WaitingRoom;
  readonly clock: Clock;
  readonly answerMs: number;
  /** Its place is free. Called once, and at once when it is destroyed. */
  readonly onOver: () => void;
}

export class HttpVisit {
  readonly #options: HttpVisitOptions;
  #socket: Socket;
  #leave: () => void = () => {};
  #timer: Timer | undefined;
  #isAnswering = false;
  #isOver = false;

  constructor(socket: Socket, options: HttpVisitOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('close', () => this.#end());
    this.#wait();
  }

  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** TLS is around it now: what is destroyed from here on is its socket, since the one underneath is not to be while TLS is at work. */
  secure(socket: Socket): void {
    this.#socket = socket;
  }

  /** A request is there. */
  beginAnswer(): void {
    this.#isAnswering = true;
    this.#leave();
    const { clock, answerMs } = this.#options;
    this.#timer = clock.setTimer(answerMs, () => this.destroy());
  }

  /** The answer was taken, or nobody is there any more who could. */
  endAnswer(): void {
    this.#isAnswering = false;
    this.#timer?.cancel();
    if (!this.#isOver) this.#wait();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    this.#timer?.cancel();
    this.#options.onOver();
  }

  #wait(): void {
    this.#leave = this.#options.room.enter(() => this.destroy());
  }
}
