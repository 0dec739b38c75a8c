import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { FreshReads } from './fresh-reads.ts';

/** Confirmations that end when the test says so, and a lease that the test holds. */
function openReads() {
  const clock = new VirtualClock();
  const confirmations: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const lease = { holds: true, looks: 0 };
  const source = {
    confirm: () =>
      new Promise<void>((resolve, reject) => {
        confirmations.push({ resolve, reject });
      }),
    holdsLease: () => {
      lease.looks++;
      return lease.holds;
    },
  };
  return { clock, confirmations, lease, reads: new FreshReads(source, clock) };
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

  test('reads by a lease that still holds behind the read', async () => {
    const { confirmations, lease, reads } = openReads();

    const value = await reads.run({ kind: 'lease' }, async () => 7);

    expect(value).toBe(7);
    expect(lease.looks).toBe(2);
    expect(confirmations).toHaveLength(0);
  });

  test('reads again, confirmed, when the lease lapsed while the process was paused', async () => {
    const { confirmations, lease, reads } = openReads();
    let state = 'stale';

    const read = reads.run({ kind: 'lease' }, async () => {
      lease.holds = false;
      return state;
    });
    await turn();
    state = 'fresh';
    confirmations[0]!.resolve();

    expect(await read).toBe('fresh');
  });
});
