/** The client over a server in memory is a key-value store like any other, whatever the network does to its bytes. */

import { describeKeyValueConformance, seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';

import { connect } from '../src/index.ts';
import { ScriptedServer } from './support/scripted-server.ts';

const capabilities = { ranges: false, atomicBatch: false, snapshots: false, rangeDeletes: false, stableScans: false };

describeKeyValueConformance(
  'Client, with messages cut anywhere',
  async () => {
    const random = seededRandom(testSeed());
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock, nextChunkBytes: () => 1 + random.int(50) });
    await ScriptedServer.open(network);
    const client = connect('127.0.0.1:7379', { protocol: 1, clock, network });
    return {
      put: (key, value) => client.put(key, value),
      get: (key) => client.get(key),
      delete: (key) => client.delete(key),
      batch: (writes) => client.pipeline(writes),
      scan: ({ prefix = new Uint8Array(0) }) => client.scan(prefix),
      close: () => client.close(),
    };
  },
  capabilities,
);
