/**
 * How long nobody can write when the leader is lost, killed or asked to stop, with default timings, for a client that knows all nodes and keeps trying.
 * The small size asserts that no request fails, and times are for the large one, whose figures are kept.
 */

import { connect } from '@kayadb/client';
import { publishFigures, sized, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { Trier } from './support/cluster/trier.ts';

const TRIALS = sized({ ci: 2, long: 20 });
const RESULTS = new URL('../results/', import.meta.url);

interface Trial {
  /** From the signal to the first answer of another leader. */
  readonly failoverMs: number;
  /** The longest that one write took, with all its tries. */
  readonly longestWriteMs: number;
}

/** Ends the leader in a way, `TRIALS` times, and has it come back each time. */
async function runTrials(
  end: (cluster: ClusterProcesses, leader: number) => Promise<unknown>,
): Promise<{ readonly trials: readonly Trial[]; readonly failed: readonly string[] }> {
  await using cluster = await ClusterProcesses.start({ nodeCount: 3, isDirect: true });
  await using client = connect(cluster.addresses);
  await using trier = new Trier(client);
  const trials: Trial[] = [];
  for (let count = 0; count < TRIALS; count++) {
    const before = await trier.next();
    const leader = await leaderOf(cluster);
    trier.takeLongestMs();
    const next = trier.next(({ term }) => term > before.term);
    const endedMs = performance.now();
    const ended = end(cluster, leader);
    const { answeredMs } = await next;
    await ended;
    trials.push({ failoverMs: answeredMs - endedMs, longestWriteMs: trier.takeLongestMs() });
    await cluster.start(leader);
    await cluster.ready();
  }
  expect(cluster.deaths).toEqual([]);
  return { trials, failed: trier.failures.map((error) => `${error.code}: ${error.message}`) };
}

async function leaderOf(cluster: ClusterProcesses): Promise<number> {
  for (;;) {
    const leader = await cluster.findLeader();
    if (leader !== undefined) return leader;
  }
}

function publish(name: string, trials: readonly Trial[]): { readonly medianMs: number; readonly worstMs: number } {
  const sorted = trials.map(({ failoverMs }) => Math.round(failoverMs)).toSorted((a, b) => a - b);
  const [medianMs, worstMs] = [sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  const longest = Math.round(Math.max(...trials.map(({ longestWriteMs }) => longestWriteMs)));
  publishFigures(
    name,
    {
      trials: trials.length,
      'median ms': medianMs,
      'worst ms': worstMs,
      'longest write ms': longest,
      all: sorted.join(' '),
    },
    RESULTS,
  );
  return { medianMs, worstMs };
}

describe('a cluster of three', () => {
  test(
    'has another leader soon after kill -9 of the one it had, and no request fails',
    {
      timeout: timeoutFor(120_000),
    },
    async () => {
      const { trials, failed } = await runTrials((cluster, leader) => cluster.kill(leader));

      const { medianMs, worstMs } = publish('failover-kill', trials);
      expect(failed).toEqual([]);
      expect(medianMs).toBeLessThan(sized({ ci: Infinity, long: 600 }));
      expect(worstMs).toBeLessThan(sized({ ci: Infinity, long: 2000 }));
    },
  );

  test(
    'hardly notices a leader that is asked to stop, and no request fails',
    { timeout: timeoutFor(120_000) },
    async () => {
      const lastRoles: unknown[] = [];
      const { trials, failed } = await runTrials(async (cluster, leader) => {
        await cluster.stop(leader);
        const { log } = cluster.process(leader);
        lastRoles.push(log.findLast(({ event }) => event === 'raft.role-changed')?.['role']);
      });

      const { worstMs } = publish('failover-stop', trials);
      expect(failed).toEqual([]);
      // It has seen who follows it, which without a hand-over comes to power when it has gone. On a busy machine it may give up waiting.
      expect(lastRoles).toContain('follower');
      expect(worstMs).toBeLessThan(sized({ ci: Infinity, long: 200 }));
    },
  );
});
