import { describe, expect, test } from 'vitest';

import { SESSION_WINDOW } from '../limits.ts';
import { Session } from './session.ts';

describe('Session', () => {
  test('counts from 1, and settles up to the first write that is open', () => {
    const session = new Session(9, 1000, 0);

    const serials = [session.take(1), session.take(2), session.take(3)];
    session.settle(2);
    const afterSecond = session.settled;
    session.settle(1);

    expect(serials).toEqual([1, 2, 3]);
    expect(afterSecond).toBe(1);
    expect(session.settled).toBe(3);
    expect(session.usedAt).toBe(3);
  });

  test('has settled everything when nothing is open', () => {
    const session = new Session(9, 1000, 0);
    session.settle(session.take(0));

    expect(session.settled).toBe(2);
  });

  test('has room for its window, counted from the first write that is open', () => {
    const session = new Session(9, 1000, 0);
    for (let i = 0; i < SESSION_WINDOW; i++) session.take(0);
    for (let serial = 2; serial <= SESSION_WINDOW; serial++) session.settle(serial);
    const before = session.room;

    session.settle(1);

    expect([before, session.room]).toEqual([0, SESSION_WINDOW]);
  });
});
