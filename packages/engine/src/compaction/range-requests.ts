/** Compactions that somebody asked for and waits for, one after another, each a step at a time between the automatic ones. */

import { EngineError } from '../errors.ts';
import type { FileNumber } from '../key/internal-key.ts';
import type { KeySpan } from '../range-delete/range-delete.ts';
import type { Levels } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import type { LeveledOptions } from './level-targets.ts';
import { pickRangeStep, type RangeCompaction, startRangeCompaction } from './range-compaction.ts';

interface RangeRequest {
  state: RangeCompaction;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const ALL_KEYS: KeySpan = { start: Uint8Array.of(0), end: undefined };

export class RangeRequests {
  readonly #options: LeveledOptions;
  readonly #leastLevel: number;
  #waiting: RangeRequest[] = [];
  #isClosed = false;
  /** Whether the last turn was an automatic compaction's. */
  #wasAutomatic = true;

  /** @param leastLevel - Down to which everything that is asked for goes at least. Default 1. */
  constructor(options: LeveledOptions, leastLevel = 1) {
    this.#options = options;
    this.#leastLevel = leastLevel;
  }

  /** @param nextFileNumber - Tables with this number or a greater one are written from now on. */
  add(span: KeySpan = ALL_KEYS, nextFileNumber: FileNumber): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ state: startRangeCompaction(span, nextFileNumber, this.#leastLevel), resolve, reject });
      if (this.#isClosed) this.close();
    });
  }

  /** What runs next: `due`, or the next step of what was asked for. Every step that is returned counts as carried out. */
  takeTurn(due: CompactionChoice, levels: Levels): CompactionChoice {
    if (due.kind !== 'none' && !this.#wasAutomatic) {
      this.#wasAutomatic = true;
      return due;
    }
    const asked = this.#nextStep(levels);
    this.#wasAutomatic = asked === undefined;
    return asked ?? due;
  }

  /** Tells everybody who waits that it will not be. */
  failAll(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** From now on nothing is done any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.failAll(new EngineError('KAYA_ENGINE_CLOSED', 'the store was closed before the compaction was done'));
  }

  #nextStep(levels: Levels): CompactionChoice | undefined {
    for (;;) {
      const request = this.#waiting[0];
      if (request === undefined) return undefined;
      const step = pickRangeStep(request.state, levels, this.#options);
      if (step !== undefined) {
        request.state = step.next;
        return step.choice;
      }
      this.#waiting.shift();
      request.resolve();
    }
  }
}
