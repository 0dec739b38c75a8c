/**
 * The session of a client: opened by the first write, shared by all, touched when it is idle, opened anew when it has expired.
 *
 * Invariant: a serial is given to one write, and back when that has ended. Who waits for a place is woken whenever there may be one.
 */

import type { Clock, SessionPlace, Timer } from '@kayadb/codec';

import type { Cancellation } from '../cancellation.ts';
import { ClientError } from '../client-error.ts';
import type { ClientEvent } from '../client-event.ts';
import { TOUCH_SHARE } from '../limits.ts';
import { Session } from './session.ts';

export interface SessionKeeperOptions {
  readonly clock: Clock;
  readonly onEvent: (event: ClientEvent) => void;
  /** Tries until the signal is aborted, or the client closed, and tells of each try that failed. @throws ClientError */
  readonly open: (
    signal: AbortSignal,
    onFailure: (cause: ClientError) => void,
  ) => Promise<{ readonly session: number; readonly expiryMs: number }>;
  /** @throws ClientError */
  readonly touch: (session: number) => Promise<void>;
}

/** A write's place in a session. */
export interface WritePlace {
  readonly session: Session;
  /** As it is to be said now. */
  readonly current: SessionPlace;
  /** The write has ended. Idempotent. */
  settle(): void;
}

interface Opening {
  readonly controller: AbortController;
  ended: Promise<ClientError | undefined>;
  /** Writes that wait for it. */
  waiting: number;
  /** Why it has not come about so far. */
  lastFailure: ClientError | undefined;
}

export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #waiting = new Set<() => void>();
  #session: Session | undefined;
  #opening: Opening | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
  }

  /** Opens a session if there is none, and waits until its window has room. @throws ClientError */
  async takePlace(cancellation: Cancellation): Promise<WritePlace> {
    for (;;) {
      const session = this.#session;
      if (cancellation.error !== undefined) {
        // It may have been woken for a place that it does not take.
        if (session !== undefined) this.#wake(session.room);
        throw cancellation.error;
      }
      if (session === undefined) await this.#opened(cancellation);
      else if (session.room > 0) return this.#placeIn(session);
      else await this.#woken(cancellation);
    }
  }

  /** A node does not know it any more: the next write opens another one. */
  expire(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#timer?.cancel();
    this.#options.onEvent({ kind: 'session-expired', session: session.id });
    this.#wake(Infinity);
  }

  /** Nothing is touched any more. @returns The session that is to be closed, if there is one. */
  close(): number | undefined {
    this.#isClosed = true;
    this.#timer?.cancel();
    const id = this.#session?.id;
    this.#session = undefined;
    return id;
  }

  #placeIn(session: Session): WritePlace {
    const serial = session.take(this.#options.clock.now());
    return {
      session,
      get current() {
        return { session: session.id, serial, settled: session.settled };
      },
      settle: () => {
        session.settle(serial);
        if (session === this.#session) this.#wake(session.room);
      },
    };
  }

  /** One opening serves all who wait, each as long as its own call may take; nobody left, it is given up. */
  async #opened(cancellation: Cancellation): Promise<void> {
    const opening = (this.#opening ??= this.#beginOpening());
    opening.waiting++;
    let failure: ClientError | undefined;
    try {
      await cancellation.race(opening.ended.then((error) => void (failure = error)));
    } finally {
      opening.waiting--;
      if (opening.waiting === 0) this.#giveUp(opening);
    }
    if (failure !== undefined) throw failure;
    // A deadline says no more than that it is over: what was waited for in vain says why.
    if (cancellation.error?.code === 'KAYA_TIMEOUT' && opening.lastFailure !== undefined) throw opening.lastFailure;
  }

  #beginOpening(): Opening {
    const controller = new AbortController();
    const opening: Opening = { controller, ended: Promise.resolve(undefined), waiting: 0, lastFailure: undefined };
    opening.ended = this.#open(opening);
    return opening;
  }

  /** Whoever comes later does not share its end. */
  #giveUp(opening: Opening): void {
    if (this.#opening === opening) this.#opening = undefined;
    opening.controller.abort();
  }

  async #open(opening: Opening): Promise<ClientError | undefined> {
    const { clock, onEvent, open } = this.#options;
    try {
      const { session, expiryMs } = await open(opening.controller.signal, (cause) => {
        opening.lastFailure = cause;
      });
      // One that comes too late for everybody expires unused.
      if (this.#isClosed || this.#opening !== opening) return undefined;
      this.#session = new Session(session, expiryMs, clock.now());
      onEvent({ kind: 'session-opened', session, expiryMs });
      this.#armTouch(this.#session);
      return undefined;
    } catch (error) {
      if (error instanceof ClientError) return error;
      throw error;
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  async #woken(cancellation: Cancellation): Promise<void> {
    let wake: (() => void) | undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(resolve);
    });
    try {
      await cancellation.race(woken);
    } finally {
      // One that gave up must not be woken in the place of one that waits.
      if (wake !== undefined) this.#waiting.delete(wake);
    }
  }

  #wake(count: number): void {
    let left = count;
    for (const wake of this.#waiting) {
      if (left-- <= 0) return;
      this.#waiting.delete(wake);
      wake();
    }
  }

  #armTouch(session: Session): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const idleMs = session.expiryMs * TOUCH_SHARE;
    const dueMs = Math.max(1, session.usedAt + idleMs - clock.now());
    this.#timer = clock.setTimer(dueMs, () => void this.#touchIfIdle(session, idleMs));
  }

  /** A failed touch is tried again after as long: there is time for two failures. */
  async #touchIfIdle(session: Session, idleMs: number): Promise<void> {
    const { clock, touch } = this.#options;
    if (clock.now() - session.usedAt >= idleMs) {
      session.usedAt = clock.now();
      try {
        await touch(session.id);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        if (error.code === 'KAYA_SESSION_EXPIRED') this.expire(session);
      }
    }
    if (session === this.#session) this.#armTouch(session);
  }
}
