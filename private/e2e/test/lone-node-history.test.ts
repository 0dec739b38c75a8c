/** A node alone, killed and stopped while clients write and read: what they were told fits a store that does one thing after the other. */

import { connect } from '@kayadb/client';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { runChaos } from './support/cluster/chaos-run.ts';
import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { V1_MIX, v1StoreClient } from './support/cluster/v1-store-client.ts';

const CLIENTS = 10;
const OPERATIONS = 300;

describe('a node alone', () => {
  test('is linearizable through kill -9, SIGSTOP and a slow disk', { timeout: 240_000 }, async () => {
    const random = seededRandom(testSeed());
    await using cluster = await ClusterProcesses.start({ nodeCount: 1 });
    const options = { timeoutMs: 2000, retry: { attempts: 1 } };
    await using client = connect(cluster.addresses[0]!, { ...options, connectionsPerEndpoint: CLIENTS });
    const clients = Array.from({ length: CLIENTS }, () => v1StoreClient(client));

    const result = await runChaos({
      cluster,
      clients,
      random,
      operations: OPERATIONS,
      faults: {
        durationMs: 2500,
        names: ['kill', 'pause', 'slow-disk'],
        restMs: { from: 50, to: 200 },
        lastsMs: { from: 50, to: 300 },
      },
      workload: { mix: V1_MIX, thinkMs: 25, retryMs: 100, lists: [] },
    });

    const { history, faults, ...counts } = result;
    expect(counts.done + counts.unknown).toBeGreaterThanOrEqual(OPERATIONS);
    expect(faults.length).toBeGreaterThan(1);
    console.info(
      `${history.operations.length} operations at a lone node, ${faults.length} faults: ${JSON.stringify(counts)}`,
    );
  });
});
