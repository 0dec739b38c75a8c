/** Stores with one fault each, as replicated stores have them. Each does right until some moment, and now and then wrong afterwards. */

import type { WriteAction } from '../../src/history/operation.ts';
import { change, firstBroken, MemoryStore, type Rows, type StoredRow } from './memory-store.ts';

/** How often a wrong store does wrong. */
const SHARE = 0.15;

type Applied = ReturnType<MemoryStore['apply']>;

/** Reads from a follower that is some writes behind. */
export class StaleReads extends MemoryStore {
  readonly #past: Rows[] = [];

  override apply(client: number, action: WriteAction): Applied {
    this.#past.push(new Map(this.rows));
    return super.apply(client, action);
  }

  override look(client: number, keys: readonly string[]): readonly (StoredRow | undefined)[] {
    if (!this.random.chance(SHARE)) return super.look(client, keys);
    const old = this.#past.at(-1 - this.random.int(12));
    return old === undefined ? super.look(client, keys) : keys.map((key) => old.get(key));
  }
}

/** Acknowledges writes that a new leader does not have. */
export class LostWrites extends MemoryStore {
  override apply(client: number, action: WriteAction): Applied {
    const before = new Map(this.rows);
    const applied = super.apply(client, action);
    if (this.random.chance(SHARE)) this.rows = before;
    return applied;
  }
}

/** Does a write again, as after a retry without a session. */
export class DoubleWrites extends MemoryStore {
  readonly #done: WriteAction[] = [];

  override apply(client: number, action: WriteAction): Applied {
    if (this.random.chance(SHARE) && this.#done.length > 0) {
      change(this.rows, this.random.pick(this.#done.slice(-4)).changes, ++this.revision);
    }
    this.#done.push(action);
    return super.apply(client, action);
  }
}

/** Appends what is already there when the client's own retry is counted as new: the list has a word twice. */
export class DoubleWords extends MemoryStore {
  override apply(client: number, action: WriteAction): Applied {
    const [only] = action.changes;
    const isTwice = only?.kind === 'put' && only.key.startsWith('list/') && this.random.chance(0.3);
    if (!isTwice) return super.apply(client, action);
    const word = only.value.slice(only.value.lastIndexOf(' ') + 1);
    return super.apply(client, { ...action, changes: [{ ...only, value: `${only.value} ${word}` }] });
  }
}

/** Answers with a revision that it gave to nobody, taken before writes that were answered. */
export class ReorderedWrites extends MemoryStore {
  readonly #skipped: number[] = [];

  override apply(client: number, action: WriteAction): Applied {
    if (this.random.chance(SHARE)) this.#skipped.push(++this.revision);
    const applied = super.apply(client, action);
    const revision = this.#skipped.length > 3 ? this.#skipped.shift()! : applied.revision;
    if (revision === applied.revision) return applied;
    change(this.rows, applied.failed === undefined ? action.changes : action.otherwise, revision);
    return { ...applied, revision };
  }
}

/** Finds values that nobody wrote. */
export class PhantomValues extends MemoryStore {
  override look(client: number, keys: readonly string[]): readonly (StoredRow | undefined)[] {
    const rows = super.look(client, keys);
    return this.random.chance(SHARE) ? rows.map((row) => row && { ...row, value: `${row.value}?` }) : rows;
  }
}

/** Two leaders: from some moment on, clients of odd number have their own store. */
export class SplitBrain extends MemoryStore {
  #other: { readonly rows: Rows; revision: number } | undefined;

  override apply(client: number, action: WriteAction): Applied {
    if (this.#other === undefined && this.revision > 30)
      this.#other = { rows: new Map(this.rows), revision: this.revision };
    if (this.#other === undefined || client % 2 === 0) return super.apply(client, action);
    const revision = ++this.#other.revision;
    const failed = firstBroken(action.conditions, this.#other.rows);
    change(this.#other.rows, failed === undefined ? action.changes : action.otherwise, revision);
    return { revision, failed };
  }

  override look(client: number, keys: readonly string[]): readonly (StoredRow | undefined)[] {
    const other = this.#other;
    return other === undefined || client % 2 === 0 ? super.look(client, keys) : keys.map((key) => other.rows.get(key));
  }
}

/** Does only the first change of a batch, and the others some writes later, under the same revision. */
export class TornBatches extends MemoryStore {
  #rest: { readonly action: WriteAction; readonly revision: number } | undefined;

  override apply(client: number, action: WriteAction): Applied {
    if (this.#rest !== undefined && this.random.chance(0.15)) {
      change(this.rows, this.#rest.action.changes.slice(1), this.#rest.revision);
      this.#rest = undefined;
    }
    if (action.changes.length < 2 || this.#rest !== undefined) return super.apply(client, action);
    const applied = super.apply(client, { ...action, changes: action.changes.slice(0, 1) });
    if (applied.failed === undefined) this.#rest = { action, revision: applied.revision };
    return applied;
  }
}

/** Takes conditions to hold that do not. */
export class WrongCompares extends MemoryStore {
  override apply(client: number, action: WriteAction): Applied {
    return super.apply(client, this.random.chance(SHARE * 2) ? { ...action, conditions: [] } : action);
  }
}

/** Says that a write was refused which it did. */
export class RefusedButDone extends MemoryStore {
  override refusesWhatItDid(): boolean {
    return this.random.chance(SHARE);
  }
}
