/**
 * Many clients that scan everything at the same time, some of them slowly: the node reads a page when it is asked for it, so its memory does not grow with what there is to scan. Counted is
 * all that the process has more than right after its start, caches that the scans fill included.
 */

import { readFileSync } from 'node:fs';

import { type Client, connect } from '@kayadb/client';
import { publishFigures, realTime, seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { BulkLoad } from './support/cluster/bulk-load.ts';
import { ClusterProcesses } from './support/cluster/cluster-processes.ts';

const MIB = 1024 * 1024;
const VALUE_BYTES = 16 * 1024;
const DATA_BYTES = sized({ ci: 16 * MIB, long: 1024 * MIB });
const SCANS = 20;
/** The last ones take a rest after every page. */
const SLOW_SCANS = 5;
const REST_MS = 10;
const ROWS_OF_A_PAGE = 64;
const MOST_MIB = 200;
const SAMPLE_MS = 20;
const RESULTS = new URL('../results/', import.meta.url);
/** It is read as Linux shows it. */
const memoryIsHidden = process.platform !== 'linux';

/** Resident memory of a process in MiB: now, and the most that it ever was. */
function residentMib(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: mib('VmRSS'), peak: mib('VmHWM') };
}

/** @returns Rows and bytes of values that came, in ascending order of keys. */
async function scanAll(client: Client, isSlow: boolean): Promise<{ readonly rows: number; readonly bytes: number }> {
  let [rows, bytes, last] = [0, 0, ''];
  for await (const { key, value } of client.scan('')) {
    const name = Buffer.from(key).toString();
    if (name <= last) throw new Error(`${name} came behind ${last}`);
    last = name;
    rows++;
    bytes += value.length;
    if (isSlow && rows % ROWS_OF_A_PAGE === 0)
      await new Promise<void>((resolve) => void realTime.setTimer(REST_MS, resolve));
  }
  return { rows, bytes };
}

describe.skipIf(memoryIsHidden)('scans at the same time (skipped where the memory of a process is not shown)', () => {
  test(`cost a node less than ${MOST_MIB} MiB, however much they read`, { timeout: timeoutFor(300_000) }, async () => {
    await using cluster = await ClusterProcesses.start({ nodeCount: 1 });
    await using writer = connect(cluster.addresses);
    await using load = new BulkLoad({
      client: writer,
      valueBytes: VALUE_BYTES,
      random: seededRandom(testSeed()).fork('bulk'),
    });
    await load.takes(DATA_BYTES);
    await load.stop();
    await cluster.stop(0);
    await cluster.start(0);
    await cluster.ready();
    await using client = connect(cluster.addresses);
    await client.get('bulk/0');
    const pid = cluster.process(0).child.pid!;
    const clients = Array.from({ length: SCANS }, () => connect(cluster.addresses));

    const before = residentMib(pid);
    let most = before.now;
    const sampling = setInterval(() => (most = Math.max(most, residentMib(pid).now)), SAMPLE_MS);
    const startedMs = realTime.now();
    const scans = await Promise.all(clients.map((each, at) => scanAll(each, at >= SCANS - SLOW_SCANS)));
    const seconds = (realTime.now() - startedMs) / 1000;
    clearInterval(sampling);
    const after = residentMib(pid);
    await Promise.all(clients.map((each) => each.close()));

    // What was between two samples shows in the peak, unless the start had a higher one.
    const peak = after.peak > before.peak ? after.peak : most;
    publishFigures(
      'scan-memory',
      {
        scans: SCANS,
        'MiB of each': Math.round(DATA_BYTES / MIB),
        'resident before MiB': Math.round(before.now),
        'resident at most MiB': Math.round(peak),
        'more MiB': Math.round(peak - before.now),
        'read MiB/s': Math.round((SCANS * DATA_BYTES) / MIB / seconds),
      },
      RESULTS,
    );
    expect(load.failures).toEqual([]);
    expect(new Set(scans.map(({ rows }) => rows))).toEqual(new Set([load.acknowledgedCount]));
    expect(scans[0]!.bytes).toBe(load.writtenBytes);
    expect(peak - before.now).toBeLessThan(MOST_MIB);
    expect(cluster.deaths).toEqual([]);
  });
});
