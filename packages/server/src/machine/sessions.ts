/**
 * The sessions of a machine, in memory: all that a write's fate depends on but the answers themselves, which stay in their rows.
 *
 * Invariant: it is what `open-session` rows and answers say, so that a machine that was opened again goes on as the others do; nothing in it
 * is finer than its row. Iteration is in the order of use, and of ids among those of one time.
 */

import { MAX_SESSIONS } from './machine-format.ts';

export interface Session {
  readonly id: number;
  readonly expiryMs: number;
  /** Of its last command, to within a tenth of its expiry. */
  readonly usedMs: number;
  /** Answers to everything below were heard. */
  readonly settled: number;
  /** The greatest serial that was applied; 0: none. */
  readonly top: number;
}

export class Sessions {
  /** By id; who was used longest ago comes first. */
  readonly #byUse = new Map<number, Session>();

  get count(): number {
    return this.#byUse.size;
  }

  get(id: number): Session | undefined {
    return this.#byUse.get(id);
  }

  /** Requires: `usedMs` is not below that of any other, but for the ones of `load`. */
  put(session: Session): void {
    const before = this.#byUse.get(session.id);
    if (before !== undefined && before.usedMs !== session.usedMs) this.#byUse.delete(session.id);
    this.#byUse.set(session.id, session);
  }

  remove(id: number): void {
    this.#byUse.delete(id);
  }

  /** Takes in what rows say, in any order. Requires: it is empty. */
  load(sessions: readonly Session[]): void {
    for (const session of sessions.toSorted((a, b) => a.usedMs - b.usedMs || a.id - b.id)) this.put(session);
  }

  /** Ids of those that are over, ascending. */
  expiredAt(timeMs: number): readonly number[] {
    const expired: number[] = [];
    for (const session of this.#byUse.values()) if (isExpired(session, timeMs)) expired.push(session.id);
    return expired.toSorted((a, b) => a - b);
  }

  /** Who makes room for another one; undefined while there is room. */
  get next(): number | undefined {
    if (this.#byUse.size < MAX_SESSIONS) return undefined;
    let oldest: Session | undefined;
    for (const session of this.#byUse.values()) {
      if (oldest !== undefined && session.usedMs > oldest.usedMs) break;
      if (oldest === undefined || session.id < oldest.id) oldest = session;
    }
    return oldest?.id;
  }

  /** Runs of `ids` between which no other session lies: each as its first and its last. Requires: `ids` ascend and are sessions. */
  runsOf(ids: readonly number[]): readonly (readonly [number, number])[] {
    const isOver = new Set(ids);
    const runs: [number, number][] = [];
    let run: [number, number] | undefined;
    for (const id of Array.from(this.#byUse.keys()).toSorted((a, b) => a - b)) {
      if (!isOver.has(id)) run = undefined;
      else if (run !== undefined) run[1] = id;
      else runs.push((run = [id, id]));
    }
    return runs;
  }
}

/** The row says when it was last used to within this; it is given that much longer. */
export function graceOf({ expiryMs }: Pick<Session, 'expiryMs'>): number {
  return Math.floor(expiryMs / 10);
}

function isExpired(session: Session, timeMs: number): boolean {
  return timeMs - session.usedMs >= session.expiryMs + graceOf(session);
}
