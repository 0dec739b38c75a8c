import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { FreshReads } from './fresh-reads.ts';

const LEASE_MS = 400;

/** Confirmations that end when the test says so, and leadership that the test gives and takes. */
function openReads() {
  const clock = new VirtualClock();
  const confirmations: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const leadership: { term: number | undefined; hasAppliedAll: boolean } = { term: 5, hasAppliedAll: true };
  const source = {
    confirm: () =>
      new Promise<void>((resolve, reject) => {
        confirmations.push({ resolve, reject });
      }),
    hasAppliedAll: () => leadership.hasAppliedAll,
    leaseTerm: () => leadership.term,
  };
  return { clock, confirmations, leadership, reads: new FreshReads({ source, clock, leaseMs: LEASE_MS }) };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('FreshReads', () => {
  test('reads what the node has when that is asked for', async () => {
    const { confirmations, reads } = openReads();

    const value = await reads.run({ kind: 'stale' }, async () => 7);

    expect(value).toBe(7);
    expect(confirmations).toHaveLength(0);
  });

  test('reads linearizably only behind a confirmation of its own', async () => {
    const { confirmations, reads } = openReads();
    const log: string[] = [];
    const task = (name: string) => async (): Promise<void> => void log.push(name);

    const first = reads.run({ kind: 'linearizable' }, task('first'));
    const second = reads.run({ kind: 'linearizable' }, task('second'));
    await turn();
    const before = [...log];
    confirmations[0]!.resolve();
    await first;
    const between = [...log];
    confirmations[1]!.resolve();
    await second;

    expect([before, between, log]).toEqual([[], ['first'], ['first', 'second']]);
  });

  test('serves bounded reads from one confirmation, until it is too old', async () => {
    const { clock, confirmations, reads } = openReads();
    const bounded = { kind: 'bounded', maxStalenessMs: 100 } as const;
    const read = (): Promise<number> => reads.run(bounded, async () => clock.now());

    const early = [read(), read()];
    clock.advance(60);
    confirmations[0]!.resolve();
    await Promise.all(early);
    clock.advance(40);
    await read();
    const asked = confirmations.length;
    clock.advance(1);
    const late = read();
    confirmations[1]!.resolve();
    await late;

    expect(asked).toBe(1);
    expect(confirmations).toHaveLength(2);
  });

  test('does not let a bounded read wait for a confirmation that began too early', async () => {
    const { clock, confirmations, reads } = openReads();
    const slow = reads.run({ kind: 'linearizable' }, async () => 'slow');
    clock.advance(101);

    const bounded = reads.run({ kind: 'bounded', maxStalenessMs: 100 }, async () => 'bounded');
    await turn();

    expect(confirmations).toHaveLength(2);
    for (const { resolve } of confirmations) resolve();
    expect(await Promise.all([slow, bounded])).toEqual(['slow', 'bounded']);
  });

  test('fails with what the confirmation fails with, and asks anew the next time', async () => {
    const { confirmations, reads } = openReads();
    const bounded = { kind: 'bounded', maxStalenessMs: 100 } as const;

    const failed = reads.run(bounded, async () => 1);
    confirmations[0]!.reject(new Error('no quorum'));
    await expect(failed).rejects.toThrow('no quorum');
    const next = reads.run(bounded, async () => 2);
    confirmations[1]!.resolve();

    expect(await next).toBe(2);
  });

  /** Confirmed as the leader of term 5, at time 0. */
  async function openLeased() {
    const opened = openReads();
    const first = opened.reads.run({ kind: 'lease' }, async () => 'first');
    opened.confirmations[0]!.resolve();
    await first;
    return opened;
  }

  test('reads by a lease for as long as the last confirmation vouches for it', async () => {
    const { clock, confirmations, reads } = await openLeased();

    clock.advance(LEASE_MS - 1);
    const leased = await reads.run({ kind: 'lease' }, async () => 'leased');
    const asked = confirmations.length;
    clock.advance(1);
    const late = reads.run({ kind: 'lease' }, async () => 'late');
    confirmations[1]!.resolve();

    expect([leased, asked, await late]).toEqual(['leased', 1, 'late']);
  });

  test.each([
    ['the lease lapses', (clock: VirtualClock) => clock.advance(LEASE_MS)],
    [
      'somebody else leads',
      (_: VirtualClock, leadership: { term: number | undefined }) => void (leadership.term = undefined),
    ],
    [
      'it leads again, in another term',
      (_: VirtualClock, leadership: { term: number | undefined }) => void (leadership.term = 6),
    ],
  ])('reads again, confirmed, when %s while the process is paused', async (_case, pause) => {
    const { clock, confirmations, leadership, reads } = await openLeased();
    let state = 'stale';

    const read = reads.run({ kind: 'lease' }, async () => {
      pause(clock, leadership);
      return state;
    });
    await turn();
    state = 'fresh';
    confirmations[1]!.resolve();

    expect(await read).toBe('fresh');
  });

  test('reads by no lease what a follower may have shown already and the leader has not applied', async () => {
    const { confirmations, leadership, reads } = await openLeased();
    leadership.hasAppliedAll = false;
    let state = 'stale';

    const read = reads.run({ kind: 'lease' }, async () => state);
    await turn();
    state = 'fresh';
    confirmations[1]!.resolve();

    expect(await read).toBe('fresh');
  });

  test('takes no lease from a confirmation through which it did not lead', async () => {
    const { confirmations, leadership, reads } = openReads();
    leadership.term = undefined;
    const first = reads.run({ kind: 'lease' }, async () => 1);
    leadership.term = 5;
    confirmations[0]!.resolve();
    await first;

    const second = reads.run({ kind: 'lease' }, async () => 2);

    expect(confirmations).toHaveLength(2);
    confirmations[1]!.resolve();
    expect(await second).toBe(2);
  });
});
