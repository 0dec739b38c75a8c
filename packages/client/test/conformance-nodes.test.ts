/** The client over real nodes is a key-value store like any other: over one, and over three that agree on everything, while they are restarted one after the other. */

import { describeKeyValueConformance, seededRandom, testSeed } from '@kayadb/testkit';

import { NodeWorld } from './support/node-world.ts';

const capabilities = { ranges: true, atomicBatch: true, snapshots: false, rangeDeletes: true, stableScans: true };

for (const nodes of [1, 3]) {
  describeKeyValueConformance(
    `Client over ${nodes} of startNode`,
    async () => {
      const random = seededRandom(testSeed());
      const world = await NodeWorld.open(nodes, { nextChunkBytes: () => 1 + random.int(5_000) });
      const client = world.connect();
      let restarts = 0;
      return {
        put: (key, value) => client.put(key, value),
        get: (key) => client.get(key),
        delete: (key) => client.delete(key),
        batch: (writes) => client.batch(writes),
        deleteRange: (gte, lt) => client.deleteRange({ gte, lt }),
        reopen: () => world.restart(1 + (restarts++ % nodes)),
        scan: (options) => client.scan(options, { ...options, pageRows: 7 }),
        close: () => world[Symbol.asyncDispose](),
      };
    },
    capabilities,
  );
}
