/**
 * Writes that are said again: connections of clients break off while answers are on their way, and leaders are lost. Each word that clients add to lists is there once, since a write keeps
 * its place in a session however often it is sent. And servers with planted bugs, each of which has to be found.
 */

import { connect } from '@kayadb/client';
import { type FaultName, type Mix, realTime, seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type ChaosRunResult, runChaos } from './support/cluster/chaos-run.ts';
import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { type PlantedBug, serverWith } from './support/cluster/planted-bug.ts';
import { v2StoreClient } from './support/cluster/v2-store-client.ts';

interface Trouble {
  readonly bug?: PlantedBug;
  readonly operations: number;
  readonly faults: readonly FaultName[];
  /** Between two moments at which all connections of clients break off. Default: they do not. */
  readonly cutMs?: number;
  readonly mix?: Partial<Mix>;
  readonly thinkMs?: number;
  /** It takes minutes until it has done harm that shows. */
  readonly isSlow?: boolean;
}

const CLIENTS = 10;
/** Hardly anything but appends: to lists that are enough for clients not to be in each other's way all the time. */
const APPENDS: Mix = { get: 20, 'get-many': 0, put: 10, delete: 0, compare: 0, batch: 0, append: 70 };
const LISTS = Array.from({ length: 8 }, (_, at) => `list/${at}`);
const OPERATIONS = sized({ ci: 500, long: 20_000 });

const BUGS: readonly (readonly [name: string, trouble: Trouble])[] = [
  [
    'reads that ask nobody',
    {
      bug: {
        file: 'packages/server/dist/replica/fresh-reads.js',
        find: `case 'linearizable':
                await this.#confirm();`,
        replace: `case 'linearizable':`,
      },
      operations: 500,
      faults: ['delay'],
      mix: {},
    },
  ],
  [
    'a commit of what a single node has',
    {
      bug: {
        file: 'packages/raft/dist/core/quorum.js',
        find: 'return scratch[count - majority(count)];',
        replace: 'return scratch[count - 1];',
      },
      operations: 1000,
      faults: ['isolate'],
      thinkMs: 100,
      isSlow: true,
    },
  ],
  [
    'writes that are done each time they are said',
    {
      bug: {
        file: 'packages/server/dist/machine/command-executor.js',
        find: 'if (write.place === undefined)',
        replace: 'if (true)',
      },
      operations: 200,
      faults: ['cut'],
      cutMs: 150,
    },
  ],
];

async function runTrouble(trouble: Trouble): Promise<ChaosRunResult> {
  const { bug, operations, faults, cutMs, mix = APPENDS, thinkMs = 0 } = trouble;
  await using cluster = await ClusterProcesses.start({
    nodeCount: 3,
    hasClientProxies: true,
    ...(bug === undefined ? {} : { program: serverWith(bug) }),
  });
  const options = { timeoutMs: 1000, deadlineMs: 8000, connectionsPerEndpoint: 1 };
  const connected = Array.from({ length: CLIENTS }, (_, at) => ({
    client: connect(cluster.addresses, options),
    single: connect(cluster.addresses[at % cluster.nodeCount]!, options),
  }));
  const result = await runChaos({
    cluster,
    clients: connected.map(v2StoreClient),
    random: seededRandom(testSeed()),
    operations,
    faults: {
      durationMs: sized({ ci: 10_000, long: 600_000 }),
      names: faults,
      lastsMs: { from: 1100, to: 1600 },
      restMs: { from: 200, to: 600 },
    },
    workload: { mix, thinkMs, registers: ['a', 'b'], lists: LISTS, retryMs: 20 },
    meanwhile: async (signal) => {
      if (cutMs === undefined) return;
      while (!signal.aborted) {
        await pause(cutMs);
        cluster.cutClients();
      }
    },
  });
  await Promise.all(connected.flatMap(({ client, single }) => [client.close(), single.close()]));
  return result;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void realTime.setTimer(ms, resolve));
}

describe('a write that is said again', () => {
  test('is done once, whatever becomes of connections and leaders', { timeout: timeoutFor(180_000) }, async () => {
    const trouble: Trouble = { operations: OPERATIONS, faults: ['kill', 'isolate'], cutMs: 200 };

    const { history, faults, ...counts } = await runTrouble(trouble);

    const writes = history.operations.filter(({ action }) => action.kind === 'write').length;
    console.info(
      `${writes} writes over connections that break off, ${faults.length} faults: ${JSON.stringify(counts)}`,
    );
    expect(counts.done).toBeGreaterThan(OPERATIONS / 2);
  });
});

describe('the checker of histories finds a server with', () => {
  test.each(BUGS.filter(([, { isSlow = false }]) => sized({ ci: !isSlow, long: true })))(
    '%s',
    { timeout: timeoutFor(180_000) },
    async (_, trouble) => {
      const run = runTrouble(trouble).then(({ done }) => `nothing was found in ${done} operations`);

      await expect(run).rejects.toThrow(/not linearizable|ended by themselves/);
    },
  );
});
