import type { Refusal2, RefusalOutcome } from '@kayadb/codec';
import { TransportError } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { ClientError } from '../client-error.ts';
import { judgeOutcome } from './judge-outcome.ts';

function judge(code: string, outcome: RefusalOutcome = 'not-done', leaderAddress?: string): object {
  const response: Refusal2 = { kind: 'refused', code, outcome, message: 'no', leaderAddress };
  const verdict = judgeOutcome({ kind: 'answered', response }, 'n1:1', 100);
  return verdict.kind === 'answered' ? verdict : { ...verdict, error: verdict.error.code };
}

describe('judgeOutcome', () => {
  test('hands an answer on', () => {
    const verdict = judgeOutcome({ kind: 'answered', response: { kind: 'done' } }, 'n1:1', 100);

    expect(verdict).toEqual({ kind: 'answered', response: { kind: 'done' } });
  });

  test('takes a node at its word about what was not done', () => {
    expect(judge('KAYA_STOPPING')).toEqual({
      kind: 'failed',
      error: 'KAYA_STOPPING',
      isUnknown: false,
      isNodesFault: true,
    });
    expect(judge('KAYA_REMOVED')).toMatchObject({ kind: 'failed', isUnknown: false, isNodesFault: true });
    expect(judge('KAYA_OVERLOADED')).toMatchObject({ kind: 'failed', isUnknown: false, isNodesFault: false });
    expect(judge('KAYA_DISK_FULL')).toMatchObject({ kind: 'refused', isUnknown: false });
  });

  test('says again what is unknown, whatever its code', () => {
    expect(judge('KAYA_UNKNOWN_OUTCOME', 'unknown')).toMatchObject({ kind: 'failed', isUnknown: true });
    expect(judge('KAYA_DISK_FULL', 'unknown')).toMatchObject({ kind: 'failed', isUnknown: true });
  });

  test('tells a redirect from a node that knows no leader', () => {
    expect(judge('KAYA_NOT_LEADER', 'not-done', 'n2:1')).toMatchObject({
      kind: 'redirected',
      error: 'KAYA_NOT_LEADER',
    });
    expect(judge('KAYA_NOT_LEADER')).toMatchObject({ kind: 'leaderless', error: 'KAYA_NOT_LEADER' });
  });

  test('has names of its own for what a node refuses', () => {
    expect(judge('KAYA_ACCESS_DENIED')).toMatchObject({ kind: 'refused', error: 'KAYA_UNAUTHORIZED' });
    expect(judge('KAYA_DEADLINE')).toMatchObject({ kind: 'failed', error: 'KAYA_TIMEOUT' });
    expect(judge('KAYA_OF_TOMORROW')).toMatchObject({ kind: 'refused', error: 'KAYA_SERVER' });
  });

  test('counts what was sent and not answered as unknown, and what was not sent as not done', () => {
    const cause = new TransportError('KAYA_CONNECTION_LOST', 'gone');

    const verdicts = [
      judgeOutcome({ kind: 'unsent', cause }, 'n1:1', 100),
      judgeOutcome({ kind: 'lost', cause }, 'n1:1', 100),
      judgeOutcome({ kind: 'abandoned', wasSent: false }, 'n1:1', 100),
      judgeOutcome({ kind: 'abandoned', wasSent: true }, 'n1:1', 100),
    ];

    expect(verdicts.map((each) => each.kind === 'failed' && each.isUnknown)).toEqual([false, true, false, true]);
  });

  test('does not try a credential again that was refused', () => {
    const cause = new ClientError('KAYA_UNAUTHORIZED', 'wrong');

    expect(judgeOutcome({ kind: 'unsent', cause }, 'n1:1', 100)).toEqual({
      kind: 'refused',
      error: cause,
      isUnknown: false,
    });
  });
});
