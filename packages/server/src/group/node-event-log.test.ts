import type { NodeEvent } from '@kayadb/raft';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type LogLine, recordingLogger } from '../../test/support/recording-logger.ts';
import { NodeEventLog } from './node-event-log.ts';

const last = { index: 7, term: 4 };

function openLog() {
  const clock = new VirtualClock();
  const lines: LogLine[] = [];
  return { clock, lines, log: new NodeEventLog(recordingLogger(lines), clock) };
}

function refusedMessage(from: number, count: number): NodeEvent {
  const what = `an append to ${count}`;
  return { kind: 'message-refused', from, message: 'append-response', refusal: 'beyond-log', what, count };
}

describe('NodeEventLog', () => {
  test('tells once a minute of what a node says again and again that makes no sense', async () => {
    const { clock, lines, log } = openLog();

    for (let count = 1; count <= 1_000; count++) {
      log.write(refusedMessage(2, count));
      log.write({ kind: 'frame-refused', from: 2, code: 'KAYA_RAFT_UNSUPPORTED', cause: new Error(`kind ${count}`) });
    }
    log.write(refusedMessage(3, 1));
    await clock.advanceAsync(60_000);
    log.write(refusedMessage(2, 1_001));

    expect(lines.map(({ event, from, count, untold }) => ({ event, from, count, untold }))).toEqual([
      { event: 'raft.message-refused', from: 2, count: 1, untold: undefined },
      { event: 'raft.frame-refused', from: 2, count: undefined, untold: undefined },
      { event: 'raft.message-refused', from: 3, count: 1, untold: 1_998 },
      { event: 'raft.message-refused', from: 2, count: 1_001, untold: undefined },
    ]);
    expect(lines.every(({ level }) => level === 'warn')).toBe(true);
  });

  test('tells once a minute that a node without a quorum tries to be elected, and each time that somebody leads', () => {
    const { clock, lines, log } = openLog();

    for (let second = 0; second < 120; second++) {
      clock.advance(1_000);
      log.write({ kind: 'election-started', term: 4 });
      log.write({ kind: 'role-changed', role: 'pre-candidate', term: 4 });
      for (const to of [2, 3]) log.write({ kind: 'vote-requested', message: 'pre-vote', to, last, term: 4 });
    }
    for (const role of ['candidate', 'leader', 'follower', 'leader'] as const)
      log.write({ kind: 'role-changed', role, term: 5 });

    const told = lines.filter(({ level }) => level !== 'debug').map(({ event, role }) => [event, role]);
    expect(told).toEqual([
      ...Array.from({ length: 2 }, () => [
        ['raft.election-started', undefined],
        ['raft.role-changed', 'pre-candidate'],
      ]).flat(),
      ['raft.role-changed', 'candidate'],
      ['raft.role-changed', 'leader'],
      ['raft.role-changed', 'follower'],
      ['raft.role-changed', 'leader'],
    ]);
  });

  test('has nothing to tell an operator of writes that share a sync', () => {
    const { lines, log } = openLog();

    for (let index = 1; index <= 100; index++) log.write({ kind: 'stable-entry-missing', index });
    log.write({ kind: 'stable-entry-in-snapshot', index: 1 });

    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  test('tells of everything that the node does itself, with its cause', () => {
    const { lines, log } = openLog();
    const cause = new Error('no room');

    for (let i = 0; i < 100; i++) log.write({ kind: 'disk-full', cause });

    expect(lines).toHaveLength(100);
    expect(lines[0]).toEqual({ event: 'raft.disk-full', err: cause, level: 'error', message: 'disk full' });
  });
});
