/** How many entries per second three cores replicate and apply. */

import { CoreCluster } from './core-cluster.ts';

const BATCH_ENTRIES = 64;
const PAYLOAD_BYTES = 256;
/** Entries before the clock starts, so that the compiler has seen the code. */
const WARM_UP_ENTRIES = 64_000;

/** @returns Entries per second that every one of three nodes has appended, committed and applied. */
export function timeCore(entries: number): number {
  const cluster = new CoreCluster();
  const payloads = Array.from({ length: BATCH_ENTRIES }, () => new Uint8Array(PAYLOAD_BYTES));
  while (cluster.applied < WARM_UP_ENTRIES) cluster.replicate(payloads);
  const before = cluster.applied;
  const startMs = performance.now();
  while (cluster.applied - before < entries) cluster.replicate(payloads);
  return ((cluster.applied - before) * 1000) / (performance.now() - startMs);
}
