/** Waits until an engine's background work has settled. */

import { setTimeout as sleep } from 'node:timers/promises';

import { hasBusyThread, readDiskCounters } from './process-counters.ts';
import { type ActivitySample, QuietDetector } from './quiet-detector.ts';

const SAMPLES_IN_QUIET = 20;

/**
 * @param quietMs - How long nothing must have happened.
 * @returns How long the work still took, without the wait that proved its end.
 */
export async function settle(quietMs: number): Promise<number> {
  const startMs = performance.now();
  const detector = new QuietDetector(quietMs, sampleActivity());
  for (;;) {
    await sleep(quietMs / SAMPLES_IN_QUIET);
    const endMs = detector.add(sampleActivity());
    if (endMs !== undefined) return endMs - startMs;
  }
}

function sampleActivity(): ActivitySample {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    cpuMs: (user + system) / 1000,
    writtenBytes: readDiskCounters().calledBytes,
    busyThread: hasBusyThread(),
  };
}
