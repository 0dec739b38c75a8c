/** The client over a cluster of version 2 in memory is a key-value store like any other, whatever the network does to its bytes. */

import { describeKeyValueConformance, seededRandom, testSeed } from '@kayadb/testkit';

import { openWorld2 } from './support/world-2.ts';

const capabilities = { ranges: true, atomicBatch: true, snapshots: false, rangeDeletes: true, stableScans: true };

for (const nodes of [1, 3]) {
  describeKeyValueConformance(
    `Client over ${nodes} of version 2, with messages cut anywhere`,
    async () => {
      const random = seededRandom(testSeed());
      const nextChunkBytes = (): number => 1 + random.int(500);
      const { client, cluster } = await openWorld2({ protocol: 2 }, { nodes, pageRows: 7, nextChunkBytes });
      cluster.leader = nodes - 1;
      return {
        put: (key, value) => client.put(key, value),
        get: (key) => client.get(key),
        delete: (key) => client.delete(key),
        batch: (writes) => client.batch(writes),
        deleteRange: (gte, lt) => client.deleteRange({ gte, lt }),
        scan: (options) => client.scan(options, options),
        close: () => client.close(),
      };
    },
    capabilities,
  );
}
