/** The moving line on a terminal. On anything else, and with --json, there is none. */

import type { SingleBar } from 'cli-progress';

import type { OutputStream } from './io.ts';

export interface Progress {
  /**
   * @param totalBytes - When it was not known, or has changed.
   * @param phase - A word for what is being done, of work that has several parts.
   */
  update(bytes: number, records: number, totalBytes?: number, phase?: string): void;
  /** Prints a line above the bar. */
  note(text: string): void;
  /** Idempotent. */
  stop(): void;
}

export interface ProgressOptions {
  readonly stream: OutputStream;
  readonly json: boolean;
  /** `undefined` when the end cannot be known. */
  readonly totalBytes: number | undefined;
  /** What is counted beside the bytes. Default `records`. */
  readonly counts?: 'records' | 'bytes';
}

const MIB = 1024 * 1024;
const CLEAR_LINE = '\r\u001b[K';

export async function openProgress({ stream, json, totalBytes, counts }: ProgressOptions): Promise<Progress> {
  if (json || stream.isTTY !== true) return new SilentProgress(stream);
  const { SingleBar, Presets } = await import('cli-progress');
  const amounts = counts === 'bytes' ? '{mib} MiB' : '{records} records, {mib} MiB';
  const format = totalBytes === undefined ? amounts : `{phase}[{bar}] {percentage}%  ${amounts}, {eta_formatted} left`;
  const bar = new SingleBar({ stream, format, hideCursor: true, gracefulExit: false, barsize: 30 }, Presets.legacy);
  bar.start(Math.max(1, totalBytes ?? 1), 0, { records: 0, mib: '0.0', phase: '' });
  return new BarProgress(bar, stream);
}

class BarProgress implements Progress {
  readonly #bar: SingleBar;
  readonly #stream: OutputStream;
  #stopped = false;

  constructor(bar: SingleBar, stream: OutputStream) {
    this.#bar = bar;
    this.#stream = stream;
  }

  update(bytes: number, records: number, totalBytes?: number, phase?: string): void {
    if (totalBytes !== undefined) this.#bar.setTotal(Math.max(1, totalBytes));
    this.#bar.update(bytes, {
      records,
      mib: (bytes / MIB).toFixed(1),
      phase: phase === undefined ? '' : `${phase} `,
    });
  }

  note(text: string): void {
    this.#stream.write(`${CLEAR_LINE}${text}\n`);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#bar.stop();
  }
}

class SilentProgress implements Progress {
  readonly #stream: OutputStream;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  update(): void {}

  note(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  stop(): void {}
}
