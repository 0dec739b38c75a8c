/**
 * Runs several actors in one seeded order: each call to the file system is a point where another actor may go first,
 * or where an actor may die.
 *
 * Invariant: one actor runs at a time, and it is only ever waiting for a turn; so the same random numbers give the
 * same run. Requires: actors await nothing but their own file system.
 */

import type { FileSystem } from '../file-system.ts';
import { InterceptedFileSystem, type Operation } from './intercepted-file-system.ts';

export interface Actor {
  readonly name: string;
  /** Called at each turn, before the call that `operation` is about to make. */
  readonly waitingFor: Operation | undefined;
  readonly state: 'waiting' | 'finished' | 'crashed';
}

interface Turn {
  readonly actor: InterleavedActor;
  readonly operation: Operation | undefined;
  readonly go: () => void;
}

class InterleavedActor implements Actor {
  readonly name: string;
  waitingFor: Operation | undefined;
  state: 'waiting' | 'finished' | 'crashed' = 'waiting';

  constructor(name: string) {
    this.name = name;
  }
}

/** @param random - Uniform in [0, 1). */
export class Interleaver {
  readonly #random: () => number;
  #turns: Turn[] = [];
  #onIdle: (() => void) | undefined;
  readonly #failures: unknown[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Starts an actor; it does nothing before its first turn. `run` gets `inner` with a turn before and after each call. */
  spawn(name: string, inner: FileSystem, run: (fs: FileSystem) => Promise<void>): Actor {
    const actor = new InterleavedActor(name);
    const fs = new InterceptedFileSystem(inner, {
      call: async (operation, call) => {
        await this.#turn(actor, operation);
        try {
          return await call();
        } finally {
          await this.#turn(actor, undefined);
        }
      },
      callSync: (_operation, call) => call(),
    });
    void this.#live(actor, () => run(fs));
    return actor;
  }

  /** The actor gets no further turn: what it was about to do never happens. */
  crash(actor: Actor): void {
    this.#turns = this.#turns.filter((turn) => turn.actor !== actor);
    if (actor instanceof InterleavedActor && actor.state === 'waiting') actor.state = 'crashed';
  }

  /**
   * Gives one actor, chosen at random, its turn and waits until it wants the next.
   *
   * @returns The actor, or `undefined` when none is left.
   * @throws What an actor threw.
   */
  async step(): Promise<Actor | undefined> {
    const index = Math.floor(this.#random() * this.#turns.length);
    const [turn] = this.#turns.splice(index, 1);
    if (turn === undefined) return undefined;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    turn.go();
    await idle;
    if (this.#failures.length > 0) throw this.#failures[0];
    return turn.actor;
  }

  async #live(actor: InterleavedActor, run: () => Promise<void>): Promise<void> {
    try {
      await this.#turn(actor, undefined);
      await run();
    } catch (error) {
      this.#failures.push(error);
    }
    actor.state = 'finished';
    this.#onIdle?.();
  }

  #turn(actor: InterleavedActor, operation: Operation | undefined): Promise<void> {
    return new Promise<void>((go) => {
      actor.waitingFor = operation;
      this.#turns.push({ actor, operation, go });
      this.#onIdle?.();
    });
  }
}
