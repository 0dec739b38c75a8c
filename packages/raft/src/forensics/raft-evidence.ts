/**
 * A Raft directory as evidence: what opening it would find, and its entries, without a byte being written.
 *
 * Invariant: files are opened for reading only. Nothing else changes in the directory meanwhile, or what is read may fit together badly.
 */

import { assert } from '@kayadb/codec';

import type { LogGap } from '../core/log-storage.ts';
import { changeMembership } from '../core/membership.ts';
import {
  type Configuration,
  EMPTY_CONFIGURATION,
  type Entry,
  type LogIndex,
  type NodeId,
  type Snapshot,
  type Term,
} from '../core/types.ts';
import { RaftError } from '../errors.ts';
import { committedChangeOf } from '../node/committed-change.ts';
import { type EntrySource, readRun } from '../storage/entry-reader.ts';
import { EntryTable } from '../storage/entry-table.ts';
import {
  LEFTOVER_NAMES,
  parseSegmentFileName,
  segmentFileName,
  SNAPSHOT_FILE_NAME,
  STATE_FILE_NAME,
} from '../storage/file-names.ts';
import type { VersionedVote } from '../storage/hard-state-format.ts';
import { checkIdentity } from '../storage/raft-identity.ts';
import { type RaftDirectory, type ReadOptions, readRaftDirectory } from '../storage/read-raft-directory.ts';
import { SegmentReaders } from '../storage/segment-readers.ts';
import type { LogTail } from '../storage/segment-recovery.ts';
import { certainCommit, type ConfigurationStep } from './certain-commit.ts';

const READ_BYTES = 1024 * 1024;

/** The configurations that the log leads through, and why a change that cannot be read ends them. */
interface Changes {
  readonly steps: readonly ConfigurationStep[];
  readonly flaw: RaftError | undefined;
}

export class RaftEvidence {
  readonly #node: NodeId;
  readonly #found: RaftDirectory;
  readonly #table: EntryTable;
  readonly #readers: SegmentReaders;
  readonly #source: EntrySource;
  /** Read when first asked for: it takes reading the whole log. */
  #changes: Changes | undefined;

  private constructor(found: RaftDirectory, directory: string, { fs, identity }: ReadOptions) {
    this.#node = identity.nodeId;
    this.#found = found;
    const { reset, log } = found;
    this.#table = reset === undefined ? log.table : new EntryTable(reset.meta.index, reset.meta.term);
    this.#readers = new SegmentReaders(fs, directory);
    const seeds = new Map(log.segments.map(({ segment, seed }) => [segment, seed]));
    this.#source = {
      readSync: (segment, buffer, offset) => this.#readers.readSync(segment, buffer, offset),
      seedOf: (segment) => seeds.get(segment)!,
    };
  }

  /**
   * Reads everything in `directory`. End with `close`.
   *
   * @throws RaftCorruptionError, RaftError, FileSystemError: what opening it is refused with.
   */
  static async read(directory: string, options: ReadOptions): Promise<RaftEvidence> {
    checkIdentity(options.identity);
    return new RaftEvidence(await readRaftDirectory(directory, options), directory, options);
  }

  /** Term and vote; undefined: the directory is new. */
  get state(): VersionedVote | undefined {
    return this.#found.state;
  }

  get snapshot(): Snapshot | undefined {
    return this.#found.snapshot;
  }

  get firstIndex(): LogIndex {
    return this.#table.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#table.lastIndex;
  }

  get lastTerm(): Term {
    return this.#table.lastTerm;
  }

  /** As far as is written down: what is committed may be more, see `certainCommit`. */
  get commit(): LogIndex {
    return this.#found.commit;
  }

  /** Where records end. */
  get tail(): LogTail {
    return this.#found.log.tail;
  }

  /** The first entry that opening writes once more; undefined: none. */
  get rewriteFrom(): LogIndex | undefined {
    return this.#found.reset === undefined ? this.#found.log.rewriteFrom : undefined;
  }

  /** Whether the log is given up for a snapshot that has arrived. */
  get isReset(): boolean {
    return this.#found.reset !== undefined;
  }

  /** Files that opening removes: what was being made or given up, and segments that nothing of the log is in. */
  get removedByOpening(): readonly string[] {
    const { names, log } = this.#found;
    return [...LEFTOVER_NAMES.filter((name) => names.includes(name)), ...log.obsolete.map(segmentFileName)].toSorted();
  }

  /** Names that are none of the log's business. */
  get strangers(): readonly string[] {
    const known = new Set([STATE_FILE_NAME, SNAPSHOT_FILE_NAME, ...LEFTOVER_NAMES]);
    return this.#found.names.filter((name) => !known.has(name) && parseSegmentFileName(name) === undefined);
  }

  term(index: LogIndex): Term | LogGap {
    return this.#table.term(index);
  }

  /**
   * Entries from `from` on, before `to`: at least one, and as many as lie side by side and have `maxBytes`. Requires: the log has all of them.
   *
   * @throws RaftCorruptionError when the disk gives other bytes than a moment ago. @throws FileSystemError
   */
  entries(from: LogIndex, to: LogIndex, maxBytes: number = READ_BYTES): readonly Entry[] {
    assert(from >= this.firstIndex && from < to && to <= this.lastIndex + 1, `entries ${from} to ${to} are in the log`);
    return readRun(this.#source, this.#table, from, to, maxBytes);
  }

  /**
   * The last entry that is committed for certain: also what no commit index reaches, where this node decides alone.
   *
   * @param known - An entry that is known to be committed, such as the last one that was applied. Default: what is written down.
   * @throws As `entries`.
   */
  certainCommit(known: LogIndex = this.commit): LogIndex {
    this.#changes ??= this.#readChanges();
    const facts = { node: this.#node, lastIndex: this.lastIndex, steps: this.#changes.steps };
    return certainCommit(facts, Math.max(known, this.commit));
  }

  /**
   * Who is in the group when everything up to `index` is applied: what the snapshot says, and changes behind it. Requires: not below the snapshot.
   *
   * @throws RaftError KAYA_RAFT_UNSUPPORTED for a change that cannot be read. As `entries`.
   */
  configurationAt(index: LogIndex): Configuration {
    const { steps, flaw } = (this.#changes ??= this.#readChanges());
    const step = steps.findLast((each) => each.index <= index);
    assert(step !== undefined, `who was in the group at ${index}, behind the snapshot, is known`);
    if (step.configuration !== undefined) return step.configuration;
    throw flaw!;
  }

  #readChanges(): Changes {
    const { index: first, configuration: initial } = this.snapshot?.meta ?? {
      index: 0,
      configuration: EMPTY_CONFIGURATION,
    };
    const steps: ConfigurationStep[] = [{ index: first, configuration: initial }];
    let configuration = initial;
    for (let from = first + 1; from <= this.lastIndex;) {
      const entries = this.entries(from, this.lastIndex + 1);
      for (const entry of entries) {
        if (entry.kind === 'normal') continue;
        try {
          const membership = changeMembership(configuration, committedChangeOf(entry));
          if (membership.kind === 'refused') continue;
          configuration = membership.configuration;
          steps.push({ index: entry.index, configuration });
        } catch (error) {
          if (!(error instanceof RaftError)) throw error;
          steps.push({ index: entry.index, configuration: undefined });
          return { steps, flaw: error };
        }
      }
      from += entries.length;
    }
    return { steps, flaw: undefined };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#readers.close();
  }
}
