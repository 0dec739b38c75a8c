import { describe, expect, test } from 'vitest';

import { Transfers, type TransferView } from './transfers.ts';

const STILL: TransferView = { id: 1, role: 'leader', leader: 1, transferTarget: 2 };

async function codeOf(promise: Promise<void>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

describe('Transfers', () => {
  test.each([
    ['the target leads', { ...STILL, role: 'follower', leader: 2, transferTarget: 0 }, 'done'],
    ['the core has given it up', { ...STILL, transferTarget: 0 }, 'KAYA_RAFT_DROPPED'],
    ['somebody else leads', { ...STILL, role: 'follower', leader: 3, transferTarget: 0 }, 'KAYA_RAFT_DROPPED'],
  ] as const)('end when %s', async (_name, view, end) => {
    const transfers = new Transfers();
    const done = codeOf(transfers.add(2, 20));

    transfers.observe(STILL);
    const wasPending = transfers.isPending;
    transfers.observe(view);

    expect(wasPending).toBe(true);
    expect(transfers.isPending).toBe(false);
    expect(await done).toBe(end);
  });

  test('go on while nobody leads, until the deadline: then nobody knows', async () => {
    const transfers = new Transfers();
    const done = codeOf(transfers.add(2, 20));

    transfers.observe({ ...STILL, role: 'follower', leader: 0, transferTarget: 0 });
    transfers.expire(19);
    const wasPending = transfers.isPending;
    transfers.expire(20);

    expect(wasPending).toBe(true);
    expect(await done).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
  });

  test('to the same target are one, and another target takes their place', async () => {
    const transfers = new Transfers();
    const first = codeOf(transfers.add(2, 20));
    const same = codeOf(transfers.add(2, 20));
    const other = codeOf(transfers.add(3, 20));

    transfers.observe({ ...STILL, role: 'follower', leader: 3 });

    expect(await Promise.all([first, same, other])).toEqual(['KAYA_RAFT_DROPPED', 'KAYA_RAFT_DROPPED', 'done']);
  });

  test('have room for so many callers', async () => {
    const transfers = new Transfers();
    const done = Array.from({ length: 65 }, () => codeOf(transfers.add(2, 20)));

    const refused = await done[64];
    transfers.observe({ ...STILL, role: 'follower', leader: 2, transferTarget: 0 });

    expect(refused).toBe('KAYA_RAFT_DROPPED');
    expect(new Set(await Promise.all(done.slice(0, 64)))).toEqual(new Set(['done']));
  });
});
