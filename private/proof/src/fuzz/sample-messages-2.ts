/** Messages of protocol 2 for samples, and the operations and conditions that commands have too. */

import {
  type Freshness,
  HEALTH_ROLES,
  OK_RESPONSE_KIND_2,
  type Page,
  type Request2,
  type RequestKind2,
  type Response2,
  type Row2,
  type Write,
  type WriteCondition,
  type WriteOperation,
} from '@kayadb/codec';
import type { SampleSource } from '@kayadb/engine/testing';

export const REQUEST_KINDS_2 = Object.keys(OK_RESPONSE_KIND_2) as readonly RequestKind2[];

export function sampleOperations(random: SampleSource): readonly WriteOperation[] {
  return listOf(random, (): WriteOperation => {
    const key = keyOf(random);
    switch (random.int(3)) {
      case 0:
        return { kind: 'put', key, value: random.bytes(random.int(9)) };
      case 1:
        return { kind: 'delete', key };
      default:
        return { kind: 'delete-range', from: random.bytes(random.int(4)), to: random.bytes(random.int(4)) };
    }
  });
}

export function sampleConditions(random: SampleSource): readonly WriteCondition[] {
  return listOf(random, (): WriteCondition => {
    const key = keyOf(random);
    switch (random.int(3)) {
      case 0:
        return { kind: 'exists', key, exists: random.chance(0.5) };
      case 1:
        return { kind: 'value', key, value: random.bytes(random.int(9)) };
      default:
        return { kind: 'revision', key, revision: sampleNumber(random) };
    }
  });
}

export function sampleRequest2(random: SampleSource): Request2 {
  const kind = REQUEST_KINDS_2[random.int(REQUEST_KINDS_2.length)]!;
  const node = 1 + random.int(9);
  const isDryRun = random.chance(0.5);
  switch (kind) {
    case 'auth':
      return { kind, role: random.chance(0.5) ? 'client' : 'operator', token: random.bytes(random.int(9)) };
    case 'cancel':
      return { kind, target: random.int(2 ** 32) };
    case 'health':
    case 'status':
    case 'members':
      return { kind };
    case 'get':
      return { kind, freshness: freshnessOf(random), key: keyOf(random) };
    case 'get-many':
      return { kind, freshness: freshnessOf(random), keys: listOf(random, () => keyOf(random)) };
    case 'write':
      return { kind, write: sampleWrite(random) };
    case 'scan':
      return scanOf(random);
    case 'more':
    case 'end-scan':
      return { kind, scan: random.int(2 ** 32) };
    case 'open-session':
      return { kind, expiryMs: sampleNumber(random) };
    case 'touch-session':
    case 'close-session':
      return { kind, session: 1 + sampleNumber(random) };
    case 'add-member': {
      const [peerAddress, clientAddress] = [`n${node}:7481`, random.chance(0.5) ? '' : `nö${node}:7379`];
      return { kind, node, peerAddress, clientAddress, isDryRun, staysLearner: random.chance(0.5) };
    }
    case 'promote-member':
    case 'remove-member':
      return { kind, node, isDryRun };
    case 'transfer-leader':
      return { kind, node: random.int(9) };
  }
}

export function sampleResponse2(random: SampleSource, answered: RequestKind2): Response2 {
  const leaderAddress = random.chance(0.5) ? undefined : 'n1:7379';
  if (random.chance(0.3)) {
    const outcome = random.chance(0.5) ? 'unknown' : 'not-done';
    return { kind: 'refused', code: 'KAYA_X', outcome, message: 'nö'.repeat(random.int(3)), leaderAddress };
  }
  const kind = OK_RESPONSE_KIND_2[answered];
  switch (kind) {
    case 'done':
      return { kind };
    case 'health':
      return { kind, role: HEALTH_ROLES[random.int(HEALTH_ROLES.length)]!, leaderAddress };
    case 'row':
      return { kind, row: rowOf(random) };
    case 'rows':
      return { kind, rows: listOf(random, () => rowOf(random)) };
    case 'written': {
      const failed = random.chance(0.5) ? undefined : random.int(5);
      return { kind, answer: { revision: sampleNumber(random), term: random.int(200), failed } };
    }
    case 'page':
      return { kind, page: pageOf(random) };
    case 'session':
      return { kind, session: 1 + sampleNumber(random), expiryMs: sampleNumber(random) };
    case 'text':
      return { kind, text: 'tëxt'.repeat(random.int(3)) };
  }
}

function freshnessOf(random: SampleSource): Freshness {
  switch (random.int(4)) {
    case 0:
      return { kind: 'linearizable' };
    case 1:
      return { kind: 'lease' };
    case 2:
      return { kind: 'stale' };
    default:
      return { kind: 'bounded', maxStalenessMs: sampleNumber(random) };
  }
}

export function sampleWrite(random: SampleSource): Write {
  const place = { session: 1 + sampleNumber(random), serial: 1 + random.int(300), settled: random.int(300) };
  return {
    place: random.chance(0.5) ? place : undefined,
    conditions: sampleConditions(random),
    operations: sampleOperations(random),
    otherwise: sampleOperations(random),
  };
}

function scanOf(random: SampleSource): Request2 {
  return {
    kind: 'scan',
    freshness: freshnessOf(random),
    range: {
      from: random.bytes(random.int(4)),
      isFromExclusive: random.chance(0.5),
      to: random.bytes(random.int(4)),
      isToInclusive: random.chance(0.5),
    },
    isDescending: random.chance(0.5),
    isWithoutValues: random.chance(0.5),
    limit: sampleNumber(random),
    pageBytes: random.int(2 ** 24),
    pageRows: random.int(1000),
  };
}

function rowOf(random: SampleSource): Row2 | undefined {
  return random.chance(0.3) ? undefined : { revision: sampleNumber(random), value: random.bytes(random.int(9)) };
}

function pageOf(random: SampleSource): Page {
  const isWithoutValues = random.chance(0.3);
  const rows = listOf(random, () => {
    const value = random.bytes(isWithoutValues ? 0 : random.int(9));
    return { key: keyOf(random), revision: sampleNumber(random), value };
  });
  return { revision: sampleNumber(random), isLast: rows.length === 0 || random.chance(0.5), isWithoutValues, rows };
}

/** Mostly short; sometimes so long that the codec remembers the bytes of a list. */
function listOf<Item>(random: SampleSource, make: () => Item): readonly Item[] {
  return Array.from({ length: random.int(random.chance(0.1) ? 14 : 4) }, make);
}

function keyOf(random: SampleSource): Uint8Array {
  return random.bytes(1 + random.int(4));
}

/** Of one byte, of a few, of seven. */
export function sampleNumber(random: SampleSource): number {
  switch (random.int(3)) {
    case 0:
      return random.int(100);
    case 1:
      return random.int(2 ** 16);
    default:
      return random.int(2 ** 16) * 2 ** 32 + random.int(2 ** 32);
  }
}
