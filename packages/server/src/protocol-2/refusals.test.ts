import { AssertionError } from '@kayadb/codec';
import { CorruptionError } from '@kayadb/engine';
import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { MachineError } from '../machine/machine-error.ts';
import { ReplicaError, type ReplicaErrorCode } from '../replica/replica-error.ts';
import { AccessDeniedError, ServerError } from '../server-error.ts';
import { mapRefusal } from './refusals.ts';

const unread = new FileSystemError('EIO', 'read', '/secret/000001.sst');
const READ = { correlationId: 'request 1.2', isProposed: false };
const PROPOSED = { correlationId: 'request 1.2', isProposed: true };

describe('mapRefusal', () => {
  test.each([
    ['a refused credential', new AccessDeniedError('operator', 'wrong'), 'KAYA_ACCESS_DENIED', 'refusal'],
    ['a refusal of the node', new ServerError('KAYA_SCAN_ENDED', 'no scan'), 'KAYA_SCAN_ENDED', 'refusal'],
    ['a state that was replaced', new MachineError('KAYA_STATE_REPLACED', 'secret'), 'KAYA_STATE_REPLACED', 'refusal'],
    ['another error of the machine', new MachineError('KAYA_FEATURE_LEVEL', 'secret'), 'KAYA_FEATURE_LEVEL', 'fault'],
    ['a disk that can not be read', unread, 'KAYA_IO', 'fault'],
    ['damage', new CorruptionError('000009.sst', 4096, 'secret'), 'KAYA_CORRUPTION', 'fault'],
    ['an error without a code', new TypeError('secret'), 'KAYA_INTERNAL', 'fault'],
    ['what is no error', 'secret', 'KAYA_INTERNAL', 'fault'],
    ['a broken invariant', new AssertionError('secret'), 'KAYA_INTERNAL', 'fatal'],
  ])('of a read tells %s without paths or inner messages', (_case, error, code, weight) => {
    const mapped = mapRefusal(error, READ);

    expect(mapped).toMatchObject({ response: { kind: 'refused', code, outcome: 'not-done' }, weight });
    expect(mapped.response.message).not.toContain('secret');
    expect(mapped.response.message.includes('(look for request 1.2 in the server')).toBe(weight !== 'refusal');
  });

  test.each([unread, new TypeError('x'), new AssertionError('x')])(
    'of what was proposed says that nobody knows, when it is not the group that says: %s',
    (error) => {
      expect(mapRefusal(error, PROPOSED).response.outcome).toBe('unknown');
    },
  );

  test.each<[ReplicaErrorCode, string]>([
    ['KAYA_NOT_LEADER', 'not-done'],
    ['KAYA_OVERLOADED', 'not-done'],
    ['KAYA_NO_QUORUM', 'not-done'],
    ['KAYA_SESSION_EXPIRED', 'not-done'],
    ['KAYA_STALE_SERIAL', 'not-done'],
    ['KAYA_DISK_FULL', 'not-done'],
    ['KAYA_STOPPING', 'not-done'],
    ['KAYA_UNKNOWN_OUTCOME', 'unknown'],
  ])('takes the outcome of %s from the group', (code, outcome) => {
    const bare = mapRefusal(new ReplicaError(code, 'its own sentence'), PROPOSED);
    const quoting = mapRefusal(new ReplicaError(code, 'secret', { cause: new Error('secret') }), PROPOSED);

    expect(bare).toMatchObject({ response: { code, outcome, message: 'its own sentence' }, weight: 'refusal' });
    expect(quoting.response).toMatchObject({ code, outcome });
    expect(quoting.response.message).not.toContain('secret');
  });

  test('names the leader where that is what it is about', () => {
    const details = { leaderAddress: 'n2:7379' };

    const notLeader = mapRefusal(new ReplicaError('KAYA_NOT_LEADER', 'x', details), READ);
    const other = mapRefusal(new ReplicaError('KAYA_OVERLOADED', 'x', details), READ);

    expect(notLeader.response.leaderAddress).toBe('n2:7379');
    expect(other.response.leaderAddress).toBeUndefined();
  });
});
