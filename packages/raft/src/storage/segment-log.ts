/**
 * The segments of a log: appends to the last of them, moves on to the next, reads entries back, gives up the oldest.
 *
 * Invariant: all segments but the last are durable. Format: docs/format/raft-log.md.
 */

import { assert } from '@kayadb/codec';

import type { Entry, LogIndex, Term } from '../core/types.ts';
import { isUndone } from './disk-outcome.ts';
import type { EntrySource } from './entry-reader.ts';
import type { SegmentFile } from './segment-file.ts';
import type { RecordFields } from './segment-format.ts';
import type { SegmentMaker } from './segment-maker.ts';
import type { SegmentReaders } from './segment-readers.ts';

/** A segment that nothing is appended to any more. */
export interface OldSegment {
  readonly segment: number;
  readonly seed: number;
}

export interface SegmentLogParts {
  readonly maker: SegmentMaker;
  readonly readers: SegmentReaders;
  /** Oldest first. */
  readonly old: readonly OldSegment[];
  readonly current: SegmentFile;
  /** A segment is left when it holds so much. */
  readonly segmentBytes: number;
}

export class SegmentLog implements EntrySource {
  readonly #maker: SegmentMaker;
  readonly #readers: SegmentReaders;
  readonly #segmentBytes: number;
  #old: readonly OldSegment[];
  #current: SegmentFile;
  #isPrepared = false;

  constructor(parts: SegmentLogParts) {
    this.#maker = parts.maker;
    this.#readers = parts.readers;
    this.#old = parts.old;
    this.#current = parts.current;
    this.#segmentBytes = parts.segmentBytes;
  }

  /** Number of the segment that is appended to. */
  get segment(): number {
    return this.#current.segment;
  }

  /** How many segments there are. */
  get segmentCount(): number {
    return this.#old.length + 1;
  }

  /** Whether the next append should go to a new segment. */
  get isFull(): boolean {
    return this.#current.usedBytes >= this.#segmentBytes;
  }

  get isDurable(): boolean {
    return this.#current.durableLsn === this.#current.endLsn;
  }

  /** As `SegmentFile.append`. */
  append(fields: Omit<RecordFields, 'durableLsn'>, entries: readonly Entry[]): number {
    return this.#current.append(fields, entries);
  }

  /** As `SegmentFile.sync`. */
  sync(): Promise<void> {
    return this.#current.sync();
  }

  /**
   * Whether it is time to make the next segment's file ready, which `prepare` does beside everything else.
   */
  get wantsNext(): boolean {
    return !this.#isPrepared && this.#current.usedBytes >= this.#segmentBytes / 2;
  }

  /** @throws RaftError KAYA_RAFT_POISONED */
  async prepare(): Promise<void> {
    this.#isPrepared = true;
    await this.#maker.prepare();
  }

  /**
   * Moves on to a new segment; where there is no room for one, or no descriptor, the old one goes on.
   *
   * Requires: everything is durable, and nothing is appended meanwhile.
   * @throws RaftError KAYA_RAFT_POISONED
   */
  async rotate(firstIndex: LogIndex, previousTerm: Term): Promise<void> {
    const left = this.#current;
    assert(this.isDurable, 'a segment is left before it is durable');
    const start = { segment: left.segment + 1, startLsn: left.endLsn, firstIndex, previousTerm };
    try {
      this.#current = await this.#maker.make(start);
    } catch (error) {
      if (isUndone(error)) return;
      throw error;
    }
    this.#isPrepared = false;
    this.#old = [...this.#old, { segment: left.segment, seed: left.seed }];
    await left.close();
  }

  /**
   * Gives up all segments before `segment`. Requires: no entry in them is needed, durably.
   *
   * @throws RaftError KAYA_RAFT_POISONED
   */
  async retireBefore(segment: number): Promise<void> {
    const retired = this.#old.filter((old) => old.segment < segment).map((old) => old.segment);
    if (retired.length === 0) return;
    this.#old = this.#old.filter((old) => old.segment >= segment);
    for (const gone of retired) this.#readers.forget(gone);
    await this.#maker.retire(retired);
  }

  readSync(segment: number, buffer: Uint8Array, offset: number): number {
    const isCurrent = segment === this.#current.segment;
    return isCurrent ? this.#current.readSync(buffer, offset) : this.#readers.readSync(segment, buffer, offset);
  }

  seedOf(segment: number): number {
    if (segment === this.#current.segment) return this.#current.seed;
    const old = this.#old.find((candidate) => candidate.segment === segment);
    assert(old !== undefined, `segment ${segment} is not part of the log`);
    return old.seed;
  }

  /** Idempotent. Does not sync. */
  async close(): Promise<void> {
    await Promise.all([this.#current.close(), this.#maker.close(), this.#readers.close()]);
  }
}
