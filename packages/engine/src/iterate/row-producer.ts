/**
 * Merges the sources of a scan into rows, a stretch of one source's run at a time: all that comes before the next entry of
 * any other source, before the end bound, and before the next end of a range delete.
 */

import { compareBytes } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';
import type { BlockRows } from '../sstable/block-rows.ts';
import type { Turn } from '../turn.ts';
import type { Direction, MaybePromise } from './cursor.ts';
import type { HiddenRegions } from './hidden-regions.ts';
import type { RowBatch } from './row-batch.ts';
import type { ScanSource } from './scan-source.ts';
import { keyAfter, type ScanSpan } from './scan-span.ts';
import { SourceQueue } from './source-queue.ts';
import { VisibleRows } from './visible-rows.ts';

/** Entries looked at, and bytes handed out, that count as one step of a turn. */
const ENTRIES_PER_STEP = 8;
const BYTES_PER_STEP = 8 * 1024;

export interface RowProducerParts {
  /** Opened before the first row is asked for. */
  readonly openSources: () => readonly ScanSource[];
  readonly direction: Direction;
  readonly sequence: SequenceNumber;
  readonly span: ScanSpan;
  /** Absent when there are no range deletes. */
  readonly regions: HiddenRegions | undefined;
  readonly turn: Turn;
}

export class RowProducer {
  readonly #parts: RowProducerParts;
  readonly #step: 1 | -1;
  readonly #visible: VisibleRows;
  readonly #queue = new SourceQueue();
  #sources: readonly ScanSource[] | undefined;
  /** Where the sources have yet to go; `undefined` when they are there. */
  #target: { readonly key: Uint8Array | undefined } | undefined;
  #isInRegion = false;
  #inFlight: Promise<void> | undefined;

  constructor(parts: RowProducerParts) {
    this.#parts = parts;
    this.#step = parts.direction === 'forward' ? 1 : -1;
    this.#visible = new VisibleRows(parts.sequence, parts.direction);
    const { start, end } = parts.span;
    this.#target = { key: this.#step === 1 ? start : end };
  }

  /**
   * Goes on with `batch` as far as it gets in this turn.
   *
   * @returns `undefined` when the batch is full or there are no more rows; otherwise what the next call has to wait for: rows
   * that are in the batch by then are complete and may be handed out before. Failures come as rejections only.
   */
  fillBatch(batch: RowBatch<unknown>): MaybePromise {
    if (this.#inFlight !== undefined) return this.#inFlight;
    let waiting: MaybePromise;
    try {
      waiting = this.#run(batch);
    } catch (error) {
      waiting = Promise.reject(error);
    }
    batch.flush();
    return waiting === undefined ? undefined : this.#hold(waiting);
  }

  /** Goes on at the first row at or behind `key`, inside the bounds. Rows produced before do not matter any more. */
  seek(key: Uint8Array): void {
    const { start, end } = this.#parts.span;
    if (this.#step === 1) {
      this.#target = { key: start !== undefined && compareBytes(key, start) < 0 ? start : key };
    } else {
      const past = keyAfter(key);
      this.#target = { key: end !== undefined && compareBytes(past, end) > 0 ? end : past };
    }
  }

  /** Releases the sources. @returns What is still under way and uses them, which never fails. */
  close(): MaybePromise {
    if (this.#sources !== undefined) for (const source of this.#sources) source.close();
    this.#queue.rebuild([]);
    return this.#inFlight?.catch(() => undefined);
  }

  #run(batch: RowBatch<unknown>): MaybePromise {
    if (this.#target !== undefined) {
      const waiting = this.#goTo(this.#target.key);
      if (waiting !== undefined) return waiting;
    }
    while (!batch.isFull) {
      const { top } = this.#queue;
      if (top === undefined) return this.#finish(batch);
      if (!this.#isInRegion || top.isAtLimit) {
        const key = top.rows!.key(top.position);
        if (this.#isPastEnd(key)) return this.#finish(batch);
        const waiting = this.#enterRegion(key, batch);
        if (waiting !== undefined) return waiting;
      } else {
        const waiting = this.#takeStretch(top, batch);
        if (waiting !== undefined) return waiting;
      }
    }
    return undefined;
  }

  /** Takes what `top` has before anything else has its turn. */
  #takeStretch(top: ScanSource, batch: RowBatch<unknown>): MaybePromise {
    const { position } = top;
    const { second } = this.#queue;
    const end = second === undefined ? top.stop : top.stretchBefore(second);
    const bytesBefore = batch.totalBytes + batch.bytes;
    const rows = top.rows!;
    const reached = this.#visible.take(rows, position, end, batch);
    if (reached < 0 || reached >= rows.count) this.#letGo(rows, batch);
    const bytes = batch.totalBytes + batch.bytes - bytesBefore;
    const waiting = top.advanceTo(reached);
    if (waiting !== undefined) return waiting.then(() => this.#queue.restoreTop());
    this.#queue.restoreTop();
    const steps = 1 + Math.abs(reached - position) / ENTRIES_PER_STEP + bytes / BYTES_PER_STEP;
    let pause: MaybePromise;
    for (let step = 1; step <= steps && pause === undefined; step++) pause = this.#parts.turn.step();
    return pause;
  }

  /** A source is about to leave `rows`. */
  #letGo(rows: BlockRows, batch: RowBatch<unknown>): void {
    batch.flush();
    this.#visible.detach(rows);
  }

  #finish(batch: RowBatch<unknown>): undefined {
    this.#visible.finish(batch);
    return undefined;
  }

  #goTo(key: Uint8Array | undefined): MaybePromise {
    this.#sources ??= this.#parts.openSources();
    this.#visible.forget();
    this.#isInRegion = false;
    return this.#moveAll(
      this.#sources,
      (source) => source.seek(key),
      () => {
        this.#target = undefined;
      },
    );
  }

  /** Finds out what range deletes hide around `key`, where the next entry is, and passes over it where that is possible. */
  #enterRegion(key: Uint8Array, batch: RowBatch<unknown>): MaybePromise {
    const { regions, span } = this.#parts;
    const region = regions?.at(key);
    const bound = this.#step === 1 ? span.end : span.start;
    const end = this.#step === 1 ? region?.end : region?.start;
    const limit = bound !== undefined && (end === undefined || !this.#isBefore(end, bound)) ? bound : end;
    this.#visible.hiddenBelow = region?.hiddenBelow ?? 0;
    this.#isInRegion = true;
    for (const source of this.#sources!) source.setLimit(limit);
    if (region === undefined || region.hiddenBelow === 0) return undefined;
    const inside = this.#sources!.filter((source) => source.rows !== undefined && !source.isAtLimit);
    return this.#moveAll(inside, (source) => {
      this.#letGo(source.rows!, batch);
      return source.skip(end, region.hiddenBelow);
    });
  }

  /** Moves `sources`, those that wait all at once, and puts them in order. */
  #moveAll(
    sources: readonly ScanSource[],
    move: (source: ScanSource) => MaybePromise,
    onDone?: () => void,
  ): MaybePromise {
    const waiting: Promise<void>[] = [];
    try {
      for (const source of sources) {
        const wait = move(source);
        if (wait !== undefined) waiting.push(wait);
      }
    } catch (error) {
      // Damage found in this turn. Sources that wait already must not fail with nobody listening.
      waiting.push(Promise.reject(error));
    }
    const settle = (): void => {
      this.#queue.rebuild(this.#sources!);
      onDone?.();
    };
    if (waiting.length > 0) return Promise.all(waiting).then(settle);
    settle();
    return undefined;
  }

  #isPastEnd(key: Uint8Array): boolean {
    const { start, end } = this.#parts.span;
    return this.#step === 1
      ? end !== undefined && compareBytes(key, end) >= 0
      : start !== undefined && compareBytes(key, start) < 0;
  }

  /** In the direction of the walk. */
  #isBefore(a: Uint8Array, b: Uint8Array): boolean {
    return compareBytes(a, b) * this.#step < 0;
  }

  async #await(waiting: Promise<void>): Promise<void> {
    await waiting;
    this.#inFlight = undefined;
  }

  /** Whoever asks next waits for `waiting` too, and gets its failure. */
  #hold(waiting: Promise<void>): Promise<void> {
    const held = this.#await(waiting);
    held.catch(() => undefined);
    this.#inFlight = held;
    return held;
  }
}
