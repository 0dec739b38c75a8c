import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { MAX_SESSIONS } from './machine-format.ts';
import { type Session, Sessions } from './sessions.ts';

function sessionOf(id: number, usedMs: number, expiryMs = 1000): Session {
  return { id, usedMs, expiryMs, settled: 0, top: 0 };
}

describe('Sessions', () => {
  test('are over when their expiry and its tenth have passed, and not before', () => {
    const sessions = new Sessions();
    sessions.load([sessionOf(2, 100), sessionOf(1, 100, 0), sessionOf(3, 101)]);

    expect(sessions.expiredAt(99)).toEqual([]);
    expect(sessions.expiredAt(1199)).toEqual([1]);
    expect(sessions.expiredAt(1200)).toEqual([1, 2]);
    expect(sessions.expiredAt(1201)).toEqual([1, 2, 3]);
  });

  test('make room only when there are as many as there may be: the one that was used longest ago, of those the first', () => {
    const sessions = new Sessions();
    for (let id = 1; id < MAX_SESSIONS; id++) sessions.put(sessionOf(id, 10));
    const before = sessions.next;
    sessions.put(sessionOf(MAX_SESSIONS, 10));
    const first = sessions.next;

    sessions.put(sessionOf(1, 20));
    sessions.put(sessionOf(2, 20));

    expect([before, first, sessions.next]).toEqual([undefined, 1, 3]);
    expect(sessions.count).toBe(MAX_SESSIONS);
  });

  test('make room in the same order when they come from rows, in whatever order these come', () => {
    const random = seededRandom(testSeed());
    const live = new Sessions();
    for (let id = 1; id <= MAX_SESSIONS; id++) live.put(sessionOf(id, Math.floor(id / 7)));
    for (const id of [1, 2, 9, 20]) live.put({ ...live.get(id)!, usedMs: 99_999 });
    const rows = Array.from({ length: MAX_SESSIONS }, (_, i) => live.get(i + 1)!);
    const loaded = new Sessions();

    loaded.load(random.shuffle(rows));

    for (let i = 0; i < 40; i++) {
      expect(loaded.next).toBe(live.next);
      const next = live.next!;
      for (const sessions of [live, loaded]) {
        sessions.remove(next);
        sessions.put(sessionOf(1_000_000 + i, 100_000));
      }
    }
  });

  test('that go together and have nobody between them are one run', () => {
    const sessions = new Sessions();
    sessions.load([3, 5, 8, 9, 20, 21].map((id) => sessionOf(id, id)));

    expect(sessions.runsOf([3, 5, 9, 20, 21])).toEqual([
      [3, 5],
      [9, 21],
    ]);
    expect(sessions.runsOf([8])).toEqual([[8, 8]]);
  });
});
