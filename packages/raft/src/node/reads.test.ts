import { describe, expect, test } from 'vitest';

import { RaftError } from '../errors.ts';
import { Reads } from './reads.ts';

function readsOf(incarnation = 5): Reads {
  return new Reads({ id: 1, incarnation, maxReads: 10, retryTicks: 3 });
}

describe('Reads', () => {
  test('share a request when they come before it is made', async () => {
    const reads = readsOf();
    const both = Promise.all([reads.add(100), reads.add(100)]);

    const requests = reads.takeRequests(0);
    reads.confirm(requests[0]!, 7, 7);

    expect(requests).toHaveLength(1);
    expect(await both).toEqual([7, 7]);
    expect(reads.count).toBe(0);
  });

  test('do not join a request that was made before they came', async () => {
    const reads = readsOf();
    const first = reads.add(100);
    const [early] = reads.takeRequests(0);
    const second = reads.add(100);

    reads.confirm(early!, 7, 9);
    await first;
    const [late] = reads.takeRequests(0);
    const countBetween = reads.count;
    reads.confirm(late!, 9, 9);

    expect(countBetween).toBe(1);
    expect(await second).toBe(9);
  });

  test('wait until the index is applied', async () => {
    const reads = readsOf();
    const read = reads.add(100);
    const [request] = reads.takeRequests(0);

    reads.confirm(request!, 7, 5);
    reads.applied(6);
    const before = reads.count;
    reads.applied(7);

    expect(before).toBe(1);
    expect(await read).toBe(7);
  });

  test('ask again after a while with another id, and take the answer to either', async () => {
    for (const answered of [0, 1]) {
      const reads = readsOf();
      const read = reads.add(100);
      const requests = [...reads.takeRequests(0), ...reads.takeRequests(2), ...reads.takeRequests(3)];

      reads.confirm(requests[answered]!, 7, 7);

      expect(requests).toHaveLength(2);
      expect(requests[0]).not.toEqual(requests[1]);
      expect(await read).toBe(7);
    }
  });

  test('pass over answers that come late, doubled, or to another life of the node', async () => {
    const reads = readsOf();
    const before = readsOf(4);
    void before.add(100);
    const [foreign] = before.takeRequests(0);
    const first = reads.add(100);
    const [request] = reads.takeRequests(0);
    reads.confirm(request!, 7, 7);
    await first;
    const second = reads.add(100);
    reads.takeRequests(0);

    reads.confirm(request!, 7, 7);
    reads.confirm(foreign!, 7, 7);

    expect(reads.count).toBe(1);
    reads.endAll(new RaftError('KAYA_RAFT_STOPPED', 'over'));
    await expect(second).rejects.toMatchObject({ code: 'KAYA_RAFT_STOPPED' });
  });

  test('fail at their deadline wherever they wait, and nothing of them is kept', async () => {
    const reads = readsOf();
    const confirmed = reads.add(10);
    const [request] = reads.takeRequests(0);
    reads.confirm(request!, 7, 5);
    const asked = reads.add(10);
    reads.takeRequests(0);
    const waiting = reads.add(10);

    reads.expire(9);
    const before = reads.count;
    reads.expire(10);

    expect(before).toBe(3);
    for (const read of [confirmed, asked, waiting]) {
      await expect(read).rejects.toMatchObject({ code: 'KAYA_RAFT_DROPPED' });
    }
    expect(reads.count).toBe(0);
    expect(reads.takeRequests(100)).toEqual([]);
  });

  test('have few requests under way, however many come', () => {
    const reads = readsOf();
    let requests = 0;

    for (let turn = 0; turn < 5; turn++) {
      void reads.add(100);
      requests += reads.takeRequests(0).length;
    }

    expect(requests).toBe(2);
  });
});
