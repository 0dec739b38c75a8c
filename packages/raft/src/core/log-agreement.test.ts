import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { describeEntries, entryOf, snapshotOf, votersOf } from '../testing/entries.ts';
import { MemoryLogStorage } from '../testing/memory-log-storage.ts';
import { RaftLog } from './log.ts';
import type { Entry, LogIndex, Term } from './types.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const RUNS = 80;
const STEPS = 60;
/** Bound: on a machine with much else to do. */
const TIMEOUT_MS = 60_000;

interface Work {
  readonly entries: readonly Entry[];
  readonly last: LogIndex;
  readonly lastTerm: Term;
  readonly term: Term;
}

/** A log as the paper has it: a list of terms, how much of it is committed, and where it begins. */
class NaiveLog {
  base = { index: 0, term: 0 };
  terms: Term[] = [];
  committed = 0;

  get last(): LogIndex {
    return this.base.index + this.terms.length;
  }

  termAt(index: LogIndex): Term | undefined {
    return index === this.base.index ? this.base.term : this.terms[index - this.base.index - 1];
  }

  text(): string {
    return this.terms.map((term, i) => `${term}/${this.base.index + 1 + i}`).join(' ');
  }
}

/** One log and the model, a store whose writes are done late and in order, and leaders that send it what they like. */
class World {
  readonly storage = new MemoryLogStorage();
  readonly naive = new NaiveLog();
  readonly log = new RaftLog({
    storage: this.storage,
    maxApplyingBytes: 100,
    entryBytes: () => 24,
    onEvent: undefined,
  });
  readonly #next: (limit: number) => number;
  /** Of the node: stale answers of its store are those of an earlier term. */
  #term = 1;
  #queue: Work[] = [];
  #applying: (readonly Entry[])[] = [];
  readonly applied: Entry[] = [];

  constructor(next: (limit: number) => number) {
    this.#next = next;
  }

  step(): void {
    const { naive } = this;
    switch (this.#next(7)) {
      case 0:
        this.#term += 1;
        return;
      case 1:
        this.#receiveAppend(naive.committed + this.#next(naive.last - naive.committed + 1), 1 + this.#next(4));
        return;
      case 2:
        this.#receiveAppend(naive.last, 1 + this.#next(6));
        return;
      case 3:
        this.#handOut();
        return;
      case 4:
        this.#finishWrite();
        return;
      case 5:
        this.#apply();
        return;
      default:
        this.#compact();
    }
  }

  /** A leader's entries behind `prev`: at times those that are there already, at times others. */
  #receiveAppend(prev: LogIndex, count: number): void {
    const { naive, log } = this;
    const prevTerm = naive.termAt(prev) ?? 0;
    const entries: Entry[] = [];
    let term = Math.max(prevTerm, 1);
    let isSame = this.#next(2) === 0;
    for (let index = prev + 1; index <= prev + count; index++) {
      const own = naive.termAt(index);
      isSame &&= own !== undefined && this.#next(4) > 0;
      if (isSame) term = own ?? term;
      else term = Math.max(term, own === undefined ? this.#term - this.#next(2) : own + 1);
      entries.push(entryOf(index, term));
      // Only the leader of a later term sends something else for what is here.
      if (!isSame && own !== undefined) this.#term += 1;
    }
    this.#term = Math.max(this.#term, term);
    const commit = naive.committed + this.#next(3);
    expect(log.maybeAppend(prev, prevTerm, entries, commit)).toBe(prev + count);
    const differs = entries.findIndex(({ index, term: own }) => naive.termAt(index) !== own);
    if (differs >= 0) {
      naive.terms.length = prev + differs - naive.base.index;
      for (const entry of entries.slice(differs)) naive.terms.push(entry.term);
    }
    naive.committed = Math.max(naive.committed, Math.min(commit, prev + count));
  }

  #handOut(): void {
    const { log } = this;
    const entries = log.unstable.nextEntries();
    if (log.unstable.count > 0) {
      this.#queue.push({ entries, last: log.lastIndex, lastTerm: log.lastTerm, term: this.#term });
    }
    log.unstable.acceptInProgress();
    const committed = log.nextCommittedEntries(false);
    log.acceptApplying(committed, false);
    if (committed.length > 0) this.#applying.push(committed);
  }

  #finishWrite(): void {
    const work = this.#queue.shift();
    if (work === undefined) return;
    this.storage.append(work.entries);
    if (work.term === this.#term) this.log.unstable.stableTo(work.last, work.lastTerm);
  }

  #apply(): void {
    const entries = this.#applying.shift();
    const last = entries?.at(-1);
    if (entries === undefined || last === undefined) return;
    for (const entry of entries) {
      expect([entry.index, entry.term]).toEqual([this.applied.length + 1, this.naive.termAt(entry.index)]);
      this.applied.push(entry);
    }
    this.log.appliedTo(last.index, entries);
  }

  #compact(): void {
    const { applied } = this.log;
    const { naive, storage } = this;
    if (applied <= naive.base.index || this.#next(3) > 0) return;
    const index = naive.base.index + 1 + this.#next(applied - naive.base.index);
    const term = naive.termAt(index) ?? 0;
    storage.createSnapshot(index, votersOf(1), new Uint8Array(0));
    storage.compact(index);
    naive.terms = naive.terms.slice(index - naive.base.index);
    naive.base = { index, term };
  }

  check(): void {
    const { log, naive } = this;
    const found = log.entriesFrom(log.firstIndex, NO_LIMIT);
    const terms = naive.terms.map((_, i) => log.term(log.firstIndex + i));
    const got = [typeof found === 'string' ? found : describeEntries(found), log.term(log.firstIndex - 1), ...terms];
    const { base, last, committed } = naive;
    const wanted = [naive.text(), base.term, ...naive.terms];
    const ends = [log.firstIndex, log.lastIndex, log.committed, log.applied];
    // One comparison in a step: they are slow.
    expect(JSON.stringify([got, ends])).toBe(
      JSON.stringify([wanted, [base.index + 1, last, committed, this.applied.length]]),
    );
  }
}

describe('RaftLog with a store that is late', () => {
  const seed = testSeed();

  test(`agrees with a plain list of terms (seed ${seed})`, { timeout: TIMEOUT_MS }, () => {
    const random = seededRandom(seed);
    const reached = { stable: 0, truncated: 0, applied: 0, compacted: 0 };

    for (let run = 0; run < RUNS; run++) {
      const world = new World((limit) => random.int(limit));
      for (let step = 0; step < STEPS; step++) {
        const { offset } = world.log.unstable;
        world.step();
        world.check();
        if (world.log.unstable.offset > offset) reached.stable++;
        if (world.log.unstable.offset < offset) reached.truncated++;
      }
      reached.applied += world.applied.length;
      reached.compacted += world.naive.base.index > 0 ? 1 : 0;
    }

    for (const count of Object.values(reached)) expect(count).toBeGreaterThan(RUNS / 4);
  });

  test('begins behind a snapshot like one whose entries were all compacted', () => {
    const storage = new MemoryLogStorage();
    storage.applySnapshot(snapshotOf(7, 3));
    const log = new RaftLog({ storage, maxApplyingBytes: 100, entryBytes: () => 24, onEvent: undefined });

    expect([log.firstIndex, log.lastIndex, log.lastTerm, log.committed, log.applied]).toEqual([8, 7, 3, 7, 7]);
  });
});
