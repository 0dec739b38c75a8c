/** Messages of protocol v1 for samples. */

import type { Request, RequestKind, Response } from '@kayadb/codec';
import type { SampleSource } from '@kayadb/engine/testing';

export const REQUEST_KINDS = [
  'hello',
  'put',
  'get',
  'delete',
  'scan',
  'health',
  'stats',
  'add-member',
  'remove-member',
  'transfer-leader',
  'promote-learner',
] as const satisfies readonly RequestKind[];

export function sampleRequest(random: SampleSource): Request {
  const kind = REQUEST_KINDS[random.int(REQUEST_KINDS.length)]!;
  const bytes = (): Uint8Array => random.bytes(random.int(12));
  const token = random.chance(0.5) ? random.bytes(random.int(20)) : undefined;
  const client = token === undefined ? undefined : ({ kind: 'client', token } as const);
  const operator = token === undefined ? undefined : ({ kind: 'operator', token } as const);
  const rangeEpoch = random.chance(0.3) ? random.int(2 ** 32) : undefined;
  const address = `10.0.0.${random.int(256)}:1234`;
  switch (kind) {
    case 'hello':
      return { kind, version: random.int(3) };
    case 'put':
      return { kind, key: bytes(), value: bytes(), credential: client, rangeEpoch };
    case 'get':
    case 'delete':
      return { kind, key: bytes(), credential: client, rangeEpoch };
    case 'scan':
      return { kind, prefix: bytes(), credential: client, rangeEpoch };
    case 'health':
      return { kind };
    case 'stats':
      return { kind, credential: client };
    case 'add-member':
      return {
        kind,
        id: random.int(100),
        raftAddress: address,
        clientAddress: address,
        isLearner: random.chance(0.5),
        credential: operator,
      };
    case 'remove-member':
    case 'promote-learner':
      return { kind, id: random.int(100), credential: operator };
    case 'transfer-leader':
      return { kind, group: random.int(3), target: random.int(100), credential: operator };
  }
}

export function sampleResponse(random: SampleSource, answered: RequestKind): Response {
  const message = 'nö'.repeat(random.int(4));
  switch (random.int(10)) {
    case 0:
      return { kind: 'invalid-argument', message };
    case 1:
      return { kind: 'not-found' };
    case 2:
      return { kind: 'conflict', message };
    case 3:
      return { kind: 'error', message };
    case 4:
      return { kind: 'not-leader', leaderAddress: random.chance(0.5) ? undefined : 'a:1' };
    case 5:
      return { kind: 'range-moved', table: random.bytes(random.int(9)) };
    default:
      return sampleAnswer(random, answered);
  }
}

function sampleAnswer(random: SampleSource, answered: RequestKind): Response {
  switch (answered) {
    case 'hello':
      return { kind: 'version', version: random.int(0x1_0000) };
    case 'put':
    case 'delete':
    case 'transfer-leader':
      return { kind: 'done' };
    case 'get':
      return { kind: 'value', value: random.bytes(random.int(20)) };
    case 'scan': {
      const item = () => ({ key: random.bytes(random.int(6)), value: random.bytes(random.int(6)) });
      return { kind: 'items', items: Array.from({ length: random.int(5) }, item) };
    }
    case 'health':
      return { kind: 'role', role: random.chance(0.5) ? 'leader' : 'follower' };
    case 'stats':
    case 'add-member':
    case 'remove-member':
    case 'promote-learner':
      return { kind: 'text', text: 'tëxt'.repeat(random.int(3)) };
  }
}
