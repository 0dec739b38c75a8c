/**
 * One direction of one connection through a proxy: bytes come out in the order in which they went in, later, slower, or not for the time being.
 *
 * Invariant: no byte is dropped while the pipe lives; a direction that is blocked keeps what it has, and stops reading when that is `MAX_HELD_BYTES`, as a network
 * would whose packets are sent again and again.
 */

import type { Socket } from 'node:net';

/** Bound: what a pipe holds back before its sender has to wait. */
const MAX_HELD_BYTES = 1024 * 1024;

/** Structurally the `Clock` of `@kayadb/codec`. */
export interface ChaosClock {
  now(): number;
  setTimer(delayMs: number, callback: () => void): { cancel(): void };
}

/** How a direction is to be. */
export interface LinkRules {
  /** Nothing comes through; connections stay as they are. */
  readonly isBlocked: boolean;
  /** How long each byte takes, in milliseconds. */
  readonly delayMs: number;
  /** Bound: what comes through in a second; 0: everything. */
  readonly bytesPerSecond: number;
}

export const CLEAR_LINK: LinkRules = { isBlocked: false, delayMs: 0, bytesPerSecond: 0 };

interface Held {
  /** Undefined: the sender has ended its side. */
  readonly bytes: Buffer | undefined;
  readonly arrivedMs: number;
}

export class LinkPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #clock: ChaosClock;
  readonly #held: Held[] = [];
  #rules: LinkRules;
  #heldBytes = 0;
  #passedBytes = 0;
  /** When the direction has passed on what it took up last. */
  #freeMs = 0;
  #timer: { cancel(): void } | undefined;
  #isOpen = true;

  constructor(from: Socket, to: Socket, clock: ChaosClock, rules: LinkRules) {
    this.#from = from;
    this.#to = to;
    this.#clock = clock;
    this.#rules = rules;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take(undefined));
    to.on('drain', () => this.#pump());
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What has gone out. */
  get passedBytes(): number {
    return this.#passedBytes;
  }

  setRules(rules: LinkRules): void {
    this.#rules = rules;
    this.#pump();
  }

  /** Forgets what it holds. */
  close(): void {
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#held.length = 0;
  }

  #take(bytes: Buffer | undefined): void {
    if (!this.#isOpen) return;
    this.#held.push({ bytes, arrivedMs: this.#clock.now() });
    this.#heldBytes += bytes?.length ?? 0;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#from.pause();
    this.#pump();
  }

  /** Passes on what is due, and comes back when the next is. */
  #pump(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      if (!this.#isOpen || this.#rules.isBlocked || this.#to.writableNeedDrain) return;
      const dueMs = Math.max(next.arrivedMs + this.#rules.delayMs, this.#freeMs);
      const nowMs = this.#clock.now();
      if (dueMs > nowMs) {
        this.#timer = this.#clock.setTimer(dueMs - nowMs, () => this.#pump());
        return;
      }
      this.#held.shift();
      this.#pass(next.bytes, nowMs);
    }
  }

  #pass(bytes: Buffer | undefined, nowMs: number): void {
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    const { bytesPerSecond } = this.#rules;
    if (bytesPerSecond > 0) this.#freeMs = nowMs + (bytes.length / bytesPerSecond) * 1000;
    this.#to.write(bytes);
    this.#heldBytes -= bytes.length;
    this.#passedBytes += bytes.length;
    if (this.#heldBytes <= MAX_HELD_BYTES && this.#from.isPaused()) this.#from.resume();
  }
}
