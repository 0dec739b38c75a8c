/** A running node is looked at while it writes, flushes, makes snapshots and gives up segments: nothing that is sound is ever called damaged. */

import { inspectNode, type NodeReport } from '@kayadb/server';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { StoppedCluster } from './stopped-cluster.ts';

const LOOKS = 15;

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('inspectNode beside a running node', { timeout: 120_000 }, () => {
  test('calls nothing damaged, and says that it is live', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const stopped = new StoppedCluster();
    const world = stopped.world(1);
    const { processes } = world.io();
    const reports: NodeReport[] = [];
    let writes = 0;

    await stopped.while(async (cluster) => {
      await cluster.start(1);
      await cluster.node(1).ready;
      await stopped.withClient(async (client) => {
        const write = async (): Promise<void> => {
          while (reports.length < LOOKS) {
            await client.put(`key ${random.int(300)}`, Buffer.from(random.bytes(1000)));
            writes++;
            // Everything in memory is done within a turn, and nobody else would have one.
            await turn();
          }
        };
        const look = async (): Promise<void> => {
          while (reports.length < LOOKS) {
            const report = await inspectNode('/data', {
              fs: world.fileSystem,
              processes: { self: () => processes.self(), newToken: () => processes.newToken(), isAlive: () => 'alive' },
              clock: stopped.clock,
              yieldTurn: turn,
            });
            reports.push(report);
            await turn();
          }
        };
        await Promise.all([look(), write()]);
      });
    });

    const found = reports.map(
      ({ verdict, live, damage }) =>
        `${verdict} ${live} ${damage.map(({ file, reason }) => `${file}: ${reason}`).join()}`,
    );
    expect([...new Set(found)], `seed ${seed}`).toEqual(['clean true ']);
    expect(writes).toBeGreaterThan(20);
  });
});
