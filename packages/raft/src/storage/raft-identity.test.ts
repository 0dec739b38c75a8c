import { expect, test } from 'vitest';

import { checkIdentity } from './raft-identity.ts';

const IDENTITY = { clusterId: new Uint8Array(16), nodeId: 1, incarnation: 0 };

test('an identity has a cluster id of 16 bytes, a node id of 1 or more and an incarnation of 0 or more', () => {
  const wrong = [
    { clusterId: new Uint8Array(15) },
    { nodeId: 0 },
    { nodeId: 1.5 },
    { incarnation: -1 },
    { incarnation: 2 ** 53 },
  ].map((part) => () => checkIdentity({ ...IDENTITY, ...part }));

  for (const check of wrong) expect(check).toThrow(RangeError);
  expect(() => checkIdentity(IDENTITY)).not.toThrow();
});
