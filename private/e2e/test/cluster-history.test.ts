/**
 * Three real nodes on a real disk, broken in every way that a machine and a network break, while ten clients write and read: what they were told has to fit a store that does one thing
 * after the other, each once. Clients follow redirects and try again by themselves.
 */

import { type Client, connect } from '@kayadb/client';
import {
  FAULT_NAMES,
  type FaultName,
  publishFigures,
  seededRandom,
  sized,
  testSeed,
  timeoutFor,
} from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { runChaos } from './support/cluster/chaos-run.ts';
import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { v2StoreClient } from './support/cluster/v2-store-client.ts';

const CLIENTS = 10;
const OPERATIONS = 1000;
/** With leases, and as many without. */
const HISTORIES = sized({ ci: 5, long: 100 });
const RESULTS = new URL('../results/', import.meta.url);
/** Longer than any election takes to begin, so that a node that was stopped has lost its place. */
const FAULT_MS = { from: 1100, to: sized({ ci: 1300, long: 4000 }) };
/** How long faults go on; the rest of the operations shows whether anything is broken for good. */
const FAULTS_MS = sized({ ci: 4500, long: 20_000 });
/** Of the kinds of faults, those that all histories together have at least. A short one has two or three, so each takes them from a few, and the next from the next few. */
const LEAST_KINDS = sized({ ci: 8, long: FAULT_NAMES.length });
const KINDS_AT_ONCE = sized({ ci: 3, long: FAULT_NAMES.length });

function kindsOf(count: number): readonly FaultName[] {
  return Array.from(
    { length: KINDS_AT_ONCE },
    (_, at) => FAULT_NAMES[((KINDS_AT_ONCE - 1) * count + at) % FAULT_NAMES.length]!,
  );
}

/** All clients of a history; each knows all nodes, and one of them in particular. */
function connectAll(cluster: ClusterProcesses): readonly { readonly client: Client; readonly single: Client }[] {
  const options = { timeoutMs: 1000, deadlineMs: 4000, connectionsPerEndpoint: 1 };
  return Array.from({ length: CLIENTS }, (_, at) => ({
    client: connect(cluster.addresses, options),
    single: connect(cluster.addresses[at % cluster.nodeCount]!, options),
  }));
}

describe('three nodes', () => {
  test.each([
    ['that keep no leases', 'histories', []],
    ['whose leader keeps leases', 'histories-leases', ['--read-leases']],
  ] as const)(
    '%s are linearizable through kill -9, SIGSTOP, partitions, delays and slow disks',
    { timeout: timeoutFor(240_000) },
    async (_, name, flags) => {
      const startedMs = performance.now();
      const sums = { operations: 0, reads: 0, unknown: 0, refused: 0, faults: 0 };
      const kinds = new Set<FaultName>();
      await using cluster = await ClusterProcesses.start({ nodeCount: 3, flags });
      for (let count = 1; count <= HISTORIES; count++) {
        const random = seededRandom(testSeed()).fork(`${name} ${count}`);
        const connected = connectAll(cluster);
        const inHistory = (key: string): string => `${key}${count}`;

        const { history, faults, unknown, notDone } = await runChaos({
          cluster,
          clients: connected.map(v2StoreClient),
          random,
          operations: OPERATIONS,
          name: `history-${count}`,
          faults: { names: kindsOf(count), durationMs: FAULTS_MS, lastsMs: FAULT_MS, restMs: { from: 50, to: 400 } },
          workload: {
            thinkMs: 40,
            retryMs: 50,
            registers: ['a', 'b', 'c', 'd', 'e'].map(inHistory),
            lists: ['list/a', 'list/b'].map(inHistory),
          },
        });
        await Promise.all(connected.flatMap(({ client, single }) => [client.close(), single.close()]));

        sums.operations += history.operations.length;
        sums.reads += history.operations.filter(({ action }) => action.kind === 'read').length;
        sums.unknown += unknown;
        sums.refused += notDone;
        sums.faults += faults.length;
        for (const kind of faults) kinds.add(kind);
      }

      expect(sums.faults).toBeGreaterThanOrEqual(HISTORIES);
      expect(kinds.size).toBeGreaterThanOrEqual(LEAST_KINDS);
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      publishFigures(
        name,
        { histories: HISTORIES, ...sums, kinds: kinds.size, 'not linearizable': 0, seconds },
        RESULTS,
      );
    },
  );
});
