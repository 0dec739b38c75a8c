/**
 * A node that was away while so much was written that the log no longer reaches back to where it was: it is sent a snapshot, while clients go on writing, over a link that breaks on the way.
 * All bounds are the defaults, but for the time without a leader after which an election is held: a snapshot is of its leader's files, and on a busy machine another leader would send its own
 * from the beginning. The large size keeps the rates of writes before, during and after as figures.
 */

import { type Client, connect } from '@kayadb/client';
import { type LinkProxy, publishFigures, realTime, seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { BulkLoad } from './support/cluster/bulk-load.ts';
import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { SnapshotWatch } from './support/cluster/snapshot-watch.ts';

const MIB = 1024 * 1024;
const VALUE_BYTES = 64 * 1024;
/** A snapshot is made every 64 MiB of log. Behind the first one all of the log is kept for the node that is away, behind the second one 8 MiB. */
const BULK_BYTES = sized({ ci: 144 * MIB, long: 1024 * MIB });
/** Of the leader's link to the node: slow enough in the small size to be cut on the way. 0: as fast as it is. */
const LINK_BYTES_PER_SECOND = sized({ ci: 24 * MIB, long: 0 });
/** Written by the workload while the rate is measured. */
const MEASURED_BYTES = sized({ ci: 4 * MIB, long: 256 * MIB });
/** What may be on its way, and is lost, when a connection breaks: the window of the transfer, and buffers on both sides of the proxy. */
const LOST_BYTES = 12 * MIB;
/** What goes over the link beside it and what is written meanwhile: log that stands between the snapshot and the start of the node. */
const BESIDE_BYTES = 72 * MIB;
/** A node that has to share two cores with those whom it follows catches up slowly while they write: that is shown by the large size. */
const WRITES_ON = sized({ ci: false, long: true });
/** Entries of the log that a member may lack and has caught up: clients write on. */
const CAUGHT_UP_LAG = 64;
/** Bound: what a node has not applied yet, it does before it answers. */
const READ_MS = 120_000;
/** Values that are compared, among all. */
const SAMPLES = 100;
const CALM = ['--heartbeat-ms=300', `--election-ms=${sized({ ci: 3000, long: 10_000 })}`];
const RESULTS = new URL('../results/', import.meta.url);

async function leaderOf(cluster: ClusterProcesses): Promise<number> {
  for (;;) {
    const leader = await cluster.findLeader();
    if (leader !== undefined) return leader;
  }
}

/** Keys and revisions that the node has, when it has all that was acknowledged. A client that knows one node asks that. */
async function keysAt(client: Client): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key, revision } of client.scan('', { level: 'linearizable', keysOnly: true })) {
    keys.push(`${Buffer.from(key).toString()} ${revision}`);
  }
  return keys;
}

/** Of bytes, for figures. */
function inMib(bytes: number): number {
  return Number((bytes / MIB).toFixed(1));
}

describe('a node that was away for long', () => {
  test(
    'catches up by a snapshot that goes on where a broken connection left it, while clients write',
    { timeout: timeoutFor(300_000) },
    async () => {
      await using cluster = await ClusterProcesses.start({ nodeCount: 3, flags: CALM });
      await using client = connect(cluster.addresses);
      const leader = await leaderOf(cluster);
      const follower = (leader + 1) % 3;
      const link: LinkProxy = cluster.link(leader, follower);
      const random = seededRandom(testSeed()).fork('bulk');

      await cluster.stop(follower);
      await using load = new BulkLoad({ client, valueBytes: VALUE_BYTES, random });
      await load.takes(BULK_BYTES - MEASURED_BYTES);
      const alone = await load.measure(MEASURED_BYTES);
      const passedBefore = link.passedBytes('forth');
      link.shape({ bytesPerSecond: LINK_BYTES_PER_SECOND });
      const [startedMs, startBytes] = [realTime.now(), load.writtenBytes];
      await cluster.start(follower);
      const installed = cluster.process(follower).next(({ event }) => event === 'raft.snapshot-installed');
      await using watch = new SnapshotWatch(cluster.addresses[leader]!, follower + 1);
      const beforeCut = await watch.until(({ arrived, total }) => arrived > total * 0.6);
      const ackedBefore = load.writtenBytes;
      cluster.cutLink(leader, follower);
      const last = await watch.ended(installed);
      const transferMs = realTime.now() - startedMs;
      const [passed, writtenMeanwhile] = [link.passedBytes('forth') - passedBefore, load.writtenBytes - startBytes];
      const sinceCut = load.rateSince(ackedBefore, beforeCut.atMs);
      const meanwhile = load.rateSince(startBytes, startedMs);
      link.heal();
      if (!WRITES_ON) await load.stop();
      await watch.caughtUp(CAUGHT_UP_LAG);
      const caughtUpMs = realTime.now() - startedMs;
      const after = WRITES_ON ? await load.measure(MEASURED_BYTES) : 0;
      await load.stop();
      await using leads = connect(cluster.addresses[leader]!, { timeoutMs: READ_MS });
      await using follows = connect(cluster.addresses[follower]!, { timeoutMs: READ_MS });
      const [expected, keys] = [await keysAt(leads), await keysAt(follows)];
      const damaged = await load.findDamaged(follows, SAMPLES);

      expect(load.failures).toEqual([]);
      expect(cluster.deaths).toEqual([]);
      // The same transfer, which never falls back behind what had arrived, but for what was on its way.
      expect(last.total).toBe(beforeCut.total);
      const resumedAt = watch.least(beforeCut.atMs);
      expect(resumedAt).toBeGreaterThanOrEqual(beforeCut.arrived - LOST_BYTES);
      expect(passed).toBeLessThan(last.total + LOST_BYTES + BESIDE_BYTES + writtenMeanwhile);
      expect(Math.min(meanwhile, sinceCut)).toBeGreaterThan(sized({ ci: 0, long: alone / 2 }));
      expect(expected).toHaveLength(load.acknowledgedCount);
      expect(keys).toEqual(expected);
      expect(damaged).toEqual([]);
      publishFigures(
        'snapshot-catch-up',
        {
          'written MiB': Math.round(BULK_BYTES / MIB),
          'snapshot MiB': Math.round(last.total / MIB),
          'arrived at the cut MiB': Math.round(beforeCut.arrived / MIB),
          'resumed at MiB': Math.round(resumedAt / MIB),
          'sent in all MiB': Math.round(passed / MIB),
          'written meanwhile MiB': Math.round(writtenMeanwhile / MIB),
          'transfer ms': Math.round(transferMs),
          'caught up ms': Math.round(caughtUpMs),
          'writes before MiB/s': inMib(alone),
          'writes meanwhile MiB/s': inMib(meanwhile),
          'writes since the cut MiB/s': inMib(sinceCut),
          'writes after MiB/s': inMib(after),
          'failed requests': 0,
        },
        RESULTS,
      );
    },
  );
});
