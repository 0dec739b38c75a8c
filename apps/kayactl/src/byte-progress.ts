/** The moving line for work that knows how many bytes it has before it. */

import type { CommandContext } from './invocation.ts';
import { openProgress } from './progress.ts';

export type OnProgress = (done: {
  readonly bytes: number;
  readonly totalBytes: number;
  /** Of work that has several parts. */
  readonly phase?: string;
}) => void;

/** Runs `work` with a line that follows it. */
export async function withByteProgress<Result>(
  { output, globals }: CommandContext,
  work: (onProgress: OnProgress) => Promise<Result>,
): Promise<Result> {
  const progress = await openProgress({ stream: output.stderr, json: globals.json, totalBytes: 1, counts: 'bytes' });
  try {
    return await work(({ bytes, totalBytes, phase }) => progress.update(bytes, 0, totalBytes, phase));
  } finally {
    progress.stop();
  }
}
