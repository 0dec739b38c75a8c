/** The moving line for work that knows how many bytes it has before it. */

import type { CommandContext } from './invocation.ts';
import { openProgress } from './progress.ts';

export type OnProgress = (done: { readonly bytes: number; readonly totalBytes: number }) => void;

/** Runs `work` with a line that follows it. */
export async function withByteProgress<Result>(
  { output, globals }: CommandContext,
  work: (onProgress: OnProgress) => Promise<Result>,
): Promise<Result> {
  const progress = await openProgress({ stream: output.stderr, json: globals.json, totalBytes: 1, counts: 'bytes' });
  try {
    return await work(({ bytes, totalBytes }) => progress.update(bytes, 0, totalBytes));
  } finally {
    progress.stop();
  }
}
