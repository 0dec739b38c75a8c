import { describe, expect, test } from 'vitest';

import { SnapshotList } from './snapshot-list.ts';

describe('SnapshotList', () => {
  test('tells of a sequence number when nobody reads at it or before it any more', () => {
    const released: number[] = [];
    const list = new SnapshotList((sequence) => released.push(sequence));
    const [first, second, again, third] = [list.take(1), list.take(2), list.take(1), list.take(3)];

    second.close();
    first.close();
    const before = [...released];
    again.close();
    third.close();

    expect(before).toEqual([]);
    expect(released).toEqual([1, 3]);
  });

  test('tells of each snapshot once, however often it is closed', () => {
    const released: number[] = [];
    const list = new SnapshotList((sequence) => released.push(sequence));
    const snapshot = list.take(5);

    snapshot.close();
    snapshot.close();

    expect(released).toEqual([5]);
  });
});
