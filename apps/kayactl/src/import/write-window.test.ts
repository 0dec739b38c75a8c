import { encodeUtf8 } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Row, Store, WritePlan } from '../store/store.ts';
import { type WriteOutcome, WriteWindow } from './write-window.ts';

const plan: WritePlan = {
  maxUnitRecords: 1,
  maxUnitBytes: 1,
  maxUnitsInFlight: 3,
  maxBytesInFlight: 100,
  ordered: false,
  acknowledgedIsDurable: true,
};

interface PendingWrite {
  readonly key: string;
  acknowledge(): void;
  fail(error: Error): void;
}

/** A store whose answers come when the test says so. */
function openHandDrivenStore(changes: Partial<WritePlan> = {}): { store: Store; pending: PendingWrite[] } {
  const pending: PendingWrite[] = [];
  const store = {
    writePlan: { ...plan, ...changes },
    write: ([row]: readonly Row[]) =>
      new Promise<void>((resolve, reject) => {
        pending.push({ key: Buffer.from(row?.key ?? []).toString(), acknowledge: resolve, fail: reject });
      }),
    describeRefusal: (error: Error) => (error.message.startsWith('refused') ? error.message : undefined),
  };
  return { store: store as unknown as Store, pending };
}

function submit(window: WriteWindow, key: string, bytes = 1, outcomes: WriteOutcome[] = []): Promise<void> {
  const rows = [{ key: encodeUtf8(key), value: encodeUtf8('') }];
  return window.submit({ rows, bytes, durability: undefined }, (outcome) => outcomes.push(outcome));
}

describe('WriteWindow', () => {
  test('has as many units in flight as the plan allows, and starts the next when one is answered', async () => {
    const { store, pending } = openHandDrivenStore();
    const window = new WriteWindow(store);
    const submitting = ['a', 'b', 'c', 'd'].map((key) => submit(window, key));
    await settle();
    const before = pending.map(({ key }) => key);

    pending[1]?.acknowledge();
    await settle();

    expect(before).toEqual(['a', 'b', 'c']);
    expect(pending.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
    await Promise.all(submitting);
  });

  test('holds back bytes over the bound, but lets a unit pass that is alone', async () => {
    const { store, pending } = openHandDrivenStore();
    const window = new WriteWindow(store);
    void submit(window, 'huge', 500);
    void submit(window, 'next', 1);
    await settle();
    const before = pending.length;

    pending[0]?.acknowledge();
    await settle();

    expect(before).toBe(1);
    expect(pending.map(({ key }) => key)).toEqual(['huge', 'next']);
  });

  test('never has one key in flight twice unless the store keeps the order', async () => {
    const loose = openHandDrivenStore();
    const ordered = openHandDrivenStore({ ordered: true });
    for (const { store } of [loose, ordered]) {
      const window = new WriteWindow(store);
      void submit(window, 'k');
      void submit(window, 'k');
    }
    await settle();
    const before = loose.pending.length;

    loose.pending[0]?.acknowledge();
    await settle();

    expect(before).toBe(1);
    expect(loose.pending).toHaveLength(2);
    expect(ordered.pending).toHaveLength(2);
  });

  test('reports a refusal as the outcome of its unit and goes on', async () => {
    const { store, pending } = openHandDrivenStore();
    const window = new WriteWindow(store);
    const outcomes: WriteOutcome[] = [];
    await submit(window, 'a', 1, outcomes);
    await submit(window, 'b', 1, outcomes);

    pending[0]?.fail(new Error('refused: too long'));
    pending[1]?.acknowledge();
    await window.finish();

    expect(outcomes).toEqual([{ kind: 'refused', reason: 'refused: too long' }, { kind: 'acknowledged' }]);
  });

  test('takes nothing more after a failure, and still waits for what is in flight', async () => {
    const { store, pending } = openHandDrivenStore();
    const window = new WriteWindow(store);
    const outcomes: WriteOutcome[] = [];
    await submit(window, 'a', 1, outcomes);
    await submit(window, 'b', 1, outcomes);

    pending[0]?.fail(new Error('connection lost'));
    await settle();
    const next = submit(window, 'c', 1, outcomes);
    await expect(next).rejects.toThrow('connection lost');
    const finishing = window.finish();
    pending[1]?.acknowledge();

    await expect(finishing).rejects.toThrow('connection lost');
    expect(outcomes).toEqual([{ kind: 'acknowledged' }]);
    expect(pending).toHaveLength(2);
  });

  test('takes what the listener throws as a failure', async () => {
    const { store, pending } = openHandDrivenStore();
    const window = new WriteWindow(store);
    await window.submit(
      { rows: [{ key: encodeUtf8('a'), value: encodeUtf8('') }], bytes: 1, durability: undefined },
      () => {
        throw new Error('the list is full');
      },
    );

    pending[0]?.acknowledge();

    await expect(window.finish()).rejects.toThrow('the list is full');
  });
});
