/**
 * The import itself: lines in, units of rows out, and at every moment a count of what is certainly done.
 *
 * Invariant: every line is imported, reported as bad, or blank; none is passed over. Memory is bound by the write
 * plan of the store and one line. docs/reference/kayactl.md, "import".
 */

import { startsWith } from '@kayadb/codec';

import type { AppendFile } from '../append-file.ts';
import { jsonBytes } from '../bytes-text.ts';
import type { Progress } from '../progress.ts';
import type { Row, Store } from '../store/store.ts';
import { AcknowledgedPrefix, type LineCounts, NO_LINES, addCounts } from './acknowledged-prefix.ts';
import type { BadLines } from './bad-lines.ts';
import type { CheckpointWriter } from './checkpoint-writer.ts';
import type { ImportInput } from './input.ts';
import { type Line, LineSplitter } from './line-splitter.ts';
import { MAX_LINE_BYTES, parseRecordLine } from './record-line.ts';
import { type WriteOutcome, WriteWindow } from './write-window.ts';

export interface ImportJobOptions {
  readonly input: ImportInput;
  readonly store: Store;
  /** What an earlier run has done; its lines are read and passed over. */
  readonly start: LineCounts;
  readonly checkpoints: CheckpointWriter;
  readonly badLines: BadLines;
  /** Gets every record as soon as it is acknowledged. */
  readonly ackLog: AppendFile | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Stops when this many bad lines have been met. */
  readonly maxErrors: number;
}

const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

export type ImportEnd = 'complete' | 'interrupted' | 'too-many-errors';

interface NumberedRow extends Row {
  readonly line: number;
}

export class ImportJob {
  readonly #options: ImportJobOptions;
  readonly #prefix: AcknowledgedPrefix;
  readonly #window: WriteWindow;
  #rows: NumberedRow[] = [];
  #bytes = 0;
  #unit: LineCounts = NO_LINES;

  constructor(options: ImportJobOptions) {
    this.#options = options;
    this.#prefix = new AcknowledgedPrefix(options.start);
    this.#window = new WriteWindow(options.store);
  }

  /** What is certainly done, from the first line on without a gap. */
  get acknowledged(): LineCounts {
    return this.#prefix.counts;
  }

  /** Bytes of the input taken in by this run, as stored. */
  get bytesRead(): number {
    return this.#options.input.bytesRead;
  }

  /** Bad lines of this run that were counted only. */
  get untoldBadLines(): number {
    return this.#options.badLines.untold;
  }

  /**
   * Runs to the end of the input, or to the first failure, interruption or bad line too many. Whatever was in flight
   * has been answered when it settles.
   *
   * @throws The first failure of the input, the store or a list file.
   */
  async run(): Promise<ImportEnd> {
    try {
      const end = await this.#readLines();
      await this.#submit();
      await this.#window.finish();
      return end;
    } finally {
      await this.#window.drain();
    }
  }

  /** Writes down how far it has come. @returns What to do to go on, as a sentence. */
  async keepProgress(): Promise<string> {
    const { lines } = this.#prefix.checkpoint;
    const isKept = lines > 0 && (await this.#options.checkpoints.write(this.#prefix.checkpoint));
    return isKept
      ? `Run the same command again: it goes on after line ${lines}.`
      : 'Run the same command again: it begins with the first line, and importing a record twice does no harm.';
  }

  /** After a complete run: the next one begins with the first line. */
  forgetProgress(): Promise<void> {
    return this.#options.checkpoints.remove();
  }

  /** Takes the moving line off the terminal. */
  stopProgress(): void {
    this.#options.progress.stop();
  }

  async #readLines(): Promise<ImportEnd> {
    const { input, signal, progress } = this.#options;
    const splitter = new LineSplitter(MAX_LINE_BYTES);
    for await (const chunk of input.chunks()) {
      const end = await this.#takeLines(splitter.push(chunk));
      if (end !== undefined) return end;
      progress.update(input.bytesRead, this.#prefix.counts.imported);
    }
    if (signal.aborted) return 'interrupted';
    return (await this.#takeLines(splitter.end())) ?? 'complete';
  }

  async #takeLines(lines: Iterable<Line>): Promise<ImportEnd | undefined> {
    const { signal, badLines, maxErrors, start } = this.#options;
    for (const line of lines) {
      if (signal.aborted) return 'interrupted';
      if (line.number <= start.lines) continue;
      this.#take(line);
      if (badLines.count >= maxErrors) return 'too-many-errors';
      if (this.#isUnitFull()) await this.#submit();
    }
    return undefined;
  }

  #take(line: Line): void {
    const record = parseRecordLine(line.number === 1 ? withoutByteOrderMark(line.bytes) : line.bytes);
    const seen = { ...NO_LINES, lines: 1 };
    if (record.kind === 'record') {
      this.#rows.push({ ...record.row, line: line.number });
      this.#bytes += record.row.key.length + record.row.value.length;
      this.#unit = addCounts(this.#unit, { ...seen, imported: 1 });
    } else if (record.kind === 'bad') {
      this.#options.badLines.report(line.number, record.reason);
      this.#unit = addCounts(this.#unit, { ...seen, bad: 1 });
    } else {
      this.#unit = addCounts(this.#unit, { ...seen, blank: 1 });
    }
  }

  #isUnitFull(): boolean {
    const { maxUnitRecords, maxUnitBytes } = this.#options.store.writePlan;
    if (this.#rows.length >= maxUnitRecords || this.#bytes >= maxUnitBytes) return true;
    // Without a record in a long time, the count of bad and blank lines has to move on all the same.
    return this.#rows.length === 0 && this.#unit.lines >= 1024;
  }

  async #submit(): Promise<void> {
    const { store, checkpoints, ackLog, badLines } = this.#options;
    await checkpoints.maybeWrite(this.#prefix.checkpoint);
    if (this.#unit.lines === 0) return;
    const [rows, bytes, counts] = [this.#rows, this.#bytes, this.#unit];
    this.#rows = [];
    this.#bytes = 0;
    this.#unit = NO_LINES;
    const mustBeDurable = !store.writePlan.acknowledgedIsDurable && checkpoints.isDue();
    const settle = this.#prefix.add({ counts, isCheckpoint: mustBeDurable || store.writePlan.acknowledgedIsDurable });
    if (rows.length === 0) {
      settle(counts);
      return;
    }
    const onOutcome = (outcome: WriteOutcome): void => {
      if (outcome.kind === 'acknowledged') {
        for (const { key, line } of rows) ackLog?.append({ line, ...jsonBytes('key', key) });
        settle(counts);
        return;
      }
      for (const { line } of rows) badLines.report(line, outcome.reason);
      settle({ ...counts, imported: 0, bad: counts.bad + rows.length });
    };
    await this.#window.submit({ rows, bytes, durability: mustBeDurable ? 'strict' : undefined }, onOutcome);
  }
}

/** Some programs begin a UTF-8 file with one; it belongs to no line. */
function withoutByteOrderMark(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes !== undefined && startsWith(bytes, BYTE_ORDER_MARK) ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
}
