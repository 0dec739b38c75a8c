import { describe, expect, test } from 'vitest';

import { MemoryLogStorage } from '../testing/memory-log-storage.ts';
import { type CoreConfig, normalizeConfig } from './config.ts';
import { APPLY_THREAD } from './types.ts';

function configOf(fields: Partial<CoreConfig> = {}): CoreConfig {
  return { id: 1, electionTicks: 10, heartbeatTicks: 1, storage: new MemoryLogStorage(), random: () => 0, ...fields };
}

describe('normalizeConfig', () => {
  test('has a default for all that is left out', () => {
    const settings = normalizeConfig(configOf());

    expect(settings).toMatchObject({
      applied: 0,
      asyncStorageWrites: false,
      maxMessageBytes: Number.MAX_SAFE_INTEGER,
      maxCommittedBytesPerReady: Number.MAX_SAFE_INTEGER,
      maxUncommittedBytes: Number.MAX_SAFE_INTEGER,
      maxInflightMessages: 256,
      checkQuorum: false,
      preVote: false,
      readOnly: 'safe',
    });
  });

  test('limits what is handed out to be applied as messages are, if nothing else is said', () => {
    expect(normalizeConfig(configOf({ maxMessageBytes: 4096 })).maxCommittedBytesPerReady).toBe(4096);
    expect(normalizeConfig(configOf({ maxMessageBytes: 0 })).maxCommittedBytesPerReady).toBe(1);
  });

  test.each([
    ['an id of nobody', { id: 0 }, 'id is 0'],
    ['the id of a thread', { id: APPLY_THREAD }, 'is that of a thread'],
    ['no heartbeats', { heartbeatTicks: 0 }, 'heartbeatTicks is 0'],
    ['elections as often as heartbeats', { electionTicks: 1 }, 'electionTicks is 1'],
    ['half a tick', { electionTicks: 1.5 }, 'electionTicks is 1.5'],
    ['a negative applied index', { applied: -1 }, 'applied is -1'],
    ['no message at all', { maxInflightMessages: 0 }, 'maxInflightMessages is 0'],
    ['a window below one message', { maxMessageBytes: 100, maxInflightBytes: 99 }, 'maxInflightBytes is 99'],
    ['nothing to be applied', { maxCommittedBytesPerReady: 0 }, 'maxCommittedBytesPerReady is 0'],
    ['nothing to be proposed', { maxUncommittedBytes: 0 }, 'maxUncommittedBytes is 0'],
    ['no reads', { maxPendingReads: 0 }, 'maxPendingReads is 0'],
    ['leases without check-quorum', { readOnly: 'lease' as const }, 'needs checkQuorum'],
  ])('refuses %s', (_, fields, message) => {
    expect(() => normalizeConfig(configOf(fields))).toThrow(message);
  });
});
