/**
 * Reads the whole store back from time to time and says what is damaged, so that it is known while there is still a copy elsewhere.
 *
 * Invariant: it reads past all caches of the store, one pass at a time, holds a version no longer than one table takes, and removes nothing
 * of what it finds; a manifest, of which memory has all, is written anew. docs/decisions/20261122-background-scrub.md.
 */

import { KayaError } from '@kayadb/codec';

import { Pace } from '../compaction/pace.ts';
import type { Counters } from '../counters.ts';
import { CorruptionError } from '../errors.ts';
import { tableFileName } from '../files/file-names.ts';
import type { FileNumber } from '../key/internal-key.ts';
import type { ResolvedOptions } from '../options.ts';
import { checkAborted } from '../snapshot/check-aborted.ts';
import { checkTableFile } from '../snapshot/check-table-file.ts';
import type { SourceStore } from '../snapshot/source-store.ts';
import { Turn } from '../turn.ts';
import type { Poison } from '../write/poison.ts';
import { checkManifest } from './check-manifest.ts';
import { DamageList } from './damage-list.ts';
import { InterruptibleClock } from './interruptible-clock.ts';
import { keepDamagedFile } from './keep-damaged-file.ts';
import { findTable, nextPassAtMs, sleepMs, tablesOfPass } from './scrub-plan.ts';
import type { ScrubPass } from './scrub-result.ts';

export interface ScrubberOptions extends SourceStore {
  readonly options: Pick<ResolvedOptions, 'scrubIntervalMs' | 'scrubBytesPerSecond' | 'onEvent'>;
  readonly poison: Poison;
  readonly counters: Counters;
}

/** What a pass has come to so far. */
interface Tally {
  tableCount: number;
  skippedTables: number;
  unreadTables: number;
  bytes: number;
  damageCount: number;
}

export class Scrubber {
  readonly damage: DamageList;
  readonly #options: ScrubberOptions;
  readonly #clock: InterruptibleClock;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #last: ScrubPass | undefined;

  constructor(options: ScrubberOptions) {
    this.#options = options;
    const { onEvent } = options.options;
    this.#clock = new InterruptibleClock(options.resources.clock);
    this.damage = new DamageList((found) => onEvent({ kind: 'damage-found', ...found }));
  }

  /** The last pass that came to its end. */
  get last(): ScrubPass | undefined {
    return this.#last;
  }

  /** From now on the store is scrubbed by itself, if its options say so. */
  start(): void {
    if (this.#options.options.scrubIntervalMs > 0) this.#running ??= this.#run();
  }

  /** Ends a pass that is under way and starts no more. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort('the store closes');
    this.#clock.interrupt();
    await this.#running;
  }

  /** A store that takes no more writes is not scrubbed: what it needs is to be opened again. */
  get #isOver(): boolean {
    return this.#abort.signal.aborted || this.#options.poison.cause !== undefined;
  }

  async #run(): Promise<void> {
    const { scrubIntervalMs } = this.#options.options;
    const openedMs = this.#clock.now();
    let startMs: number | undefined;
    while (!this.#isOver) {
      const waitMs = sleepMs(nextPassAtMs(scrubIntervalMs, openedMs, startMs), this.#clock.now());
      // Also between passes that follow each other at once: others must get their turn.
      await new Promise<void>((resolve) => this.#clock.setTimer(waitMs, resolve));
      if (waitMs > 0 || this.#isOver) continue;
      startMs = this.#clock.now();
      await this.#pass();
    }
  }

  /** What cannot be read is told. Rejects for a broken invariant only, which nobody catches: it ends the process. */
  async #pass(): Promise<void> {
    const { versions, counters, options } = this.#options;
    const { scrubBytesPerSecond, onEvent } = options;
    const stop = counters.start(counters.scrubs);
    const tally: Tally = { tableCount: 0, skippedTables: 0, unreadTables: 0, bytes: 0, damageCount: 0 };
    const pace = scrubBytesPerSecond > 0 ? new Pace(this.#clock, scrubBytesPerSecond) : undefined;
    await this.#scrubManifest(tally);
    for (const fileNumber of tablesOfPass(versions.current.levels)) {
      if (this.#isOver) return;
      await this.#scrubTable(fileNumber, tally, pace);
    }
    if (this.#isOver) return;
    this.#last = { ...tally, endedMs: this.#clock.now(), durationUs: stop() };
    onEvent({ kind: 'scrubbed', ...this.#last });
  }

  async #scrubTable(fileNumber: FileNumber, tally: Tally, pace: Pace | undefined): Promise<void> {
    const { directory, storeId, versions, resources } = this.#options;
    const meta = findTable(versions.current.levels, fileNumber);
    if (meta === undefined) {
      tally.skippedTables++;
      return;
    }
    const version = versions.current.retain();
    const turn = new Turn(resources);
    let paidBytes = 0;
    try {
      await checkTableFile(resources.fileSystem, directory, storeId, meta, async ({ storedBytes }) => {
        paidBytes += storedBytes;
        pace?.spend(storedBytes);
        await pace?.wait(this.#abort.signal);
        await turn.step();
        checkAborted(this.#abort.signal, 'the scrub');
      });
      tally.tableCount++;
    } catch (error) {
      if (this.#isOver) return;
      if (error instanceof CorruptionError) tally.tableCount++;
      else tally.unreadTables++;
      this.#note(error, tableFileName(fileNumber), tally);
    } finally {
      version.release();
    }
    // Index, filter and headers are read too.
    tally.bytes += meta.fileBytes;
    pace?.spend(Math.max(0, meta.fileBytes - paidBytes));
    await pace?.wait(this.#abort.signal);
  }

  async #scrubManifest(tally: Tally): Promise<void> {
    const { directory, storeId, versions, resources, poison } = this.#options;
    const { fileSystem } = resources;
    try {
      const found = await versions.runBetweenEdits((state) =>
        checkManifest(fileSystem, directory, { storeId, manifestNumber: versions.manifestNumber, state }),
      );
      // Behind an edit of unknown outcome the file may be ahead of memory, and is not to be touched. A store that closes is worth the repair.
      if (poison.cause !== undefined) return;
      for (const damage of found) this.#note(damage, damage.file, tally);
      if (found.length > 0) await this.#replaceManifest(found.map(({ file }) => file));
    } catch (error) {
      this.#note(error, 'the manifest', tally);
    }
  }

  /** Memory has all that the damaged files had, and opening would refuse them. Their bytes are kept under another name. */
  async #replaceManifest(damaged: readonly string[]): Promise<void> {
    const { directory, versions, resources, poison, options } = this.#options;
    const stays = (why: string): void => {
      options.onEvent({ kind: 'warning', message: `the damaged manifest stays in force: ${why}` });
    };
    try {
      for (const name of damaged) await keepDamagedFile(resources.fileSystem, directory, name);
    } catch (error) {
      stays((error as Error).message);
      return;
    }
    try {
      if (!(await versions.replaceManifest())) stays('the disk has no room for a fresh one');
    } catch (error) {
      stays(poison.set(error).message);
    }
  }

  #note(error: unknown, what: string, tally: Tally): void {
    if (error instanceof CorruptionError) {
      tally.damageCount++;
      this.damage.add(error, this.#clock.now());
      return;
    }
    // Anything else is a fault of the engine, and not to be taken for one of the disk.
    if (!(error instanceof KayaError)) throw error;
    const { message } = error;
    this.#options.options.onEvent({ kind: 'warning', message: `the scrub could not read ${what}: ${message}` });
  }
}
