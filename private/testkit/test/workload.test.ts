import { describe, expect, test } from 'vitest';

import { HistoryRecorder } from '../src/history/history-recorder.ts';
import { isRead, isWrite, type WriteOperation } from '../src/history/operation.ts';
import { seededRandom } from '../src/seeded-random.ts';
import { OPERATION_KINDS } from '../src/workload/operation-mix.ts';
import { readEverything, runWorkload } from '../src/workload/run-workload.ts';
import { outcomeOf, type StoreClient } from '../src/workload/store-client.ts';
import { recordRun } from './support/record-run.ts';

const noPause = async (): Promise<void> => {};

function kindOf({ action }: WriteOperation): string {
  const [change] = action.changes;
  if (change?.key.startsWith('list/') === true) return 'append';
  if (action.changes.length > 1) return 'batch';
  return action.conditions.length > 0 ? 'compare' : change!.kind;
}

describe('runWorkload', () => {
  test('does what it was asked for with all clients at once, of every kind, and no value twice', async () => {
    const history = await recordRun({ seed: 1, operations: 1000, unknownShare: 0.05, refusedShare: 0.05 });

    const { operations } = history;
    const writes = operations.filter(isWrite);
    const reads = operations.filter(isRead);
    const counted = operations.filter(({ outcome }) => outcome?.kind !== 'not-done').length;
    const kinds = new Set([
      ...writes.map(kindOf),
      ...reads.map(({ action }) => (action.keys.length > 1 ? 'get-many' : 'get')),
    ]);
    const words = writes.flatMap(({ action }) =>
      [...action.changes, ...action.otherwise].flatMap((change) =>
        change.kind === 'put' ? change.value.split(' ').at(-1)! : [],
      ),
    );
    const attempts = writes.filter((write) => kindOf(write) === 'append').length;
    expect(counted).toBeGreaterThanOrEqual(1000);
    expect(counted).toBeLessThan(1020);
    expect([...kinds].toSorted()).toEqual(OPERATION_KINDS.toSorted());
    expect(new Set(operations.map(({ client }) => client)).size).toBe(10);
    expect(words.length - new Set(words).size).toBeLessThan(attempts);
    expect(
      writes.filter(({ outcome }) => outcome?.kind === 'written' && outcome.failed !== undefined).length,
    ).toBeGreaterThan(50);
  });

  test('gives the same history for the same seed', async () => {
    const options = { seed: 3, operations: 200, unknownShare: 0.1 };

    const first = await recordRun(options);

    expect(await recordRun(options)).toEqual(first);
    expect(await recordRun({ ...options, seed: 4 })).not.toEqual(first);
  });

  test('stops when it is told to, and when a client fails', async () => {
    const recorder = new HistoryRecorder({ now: () => 0 });
    const options = { recorder, random: seededRandom(1), operations: 100, pause: noPause };
    const broken: StoreClient = {
      read: () => Promise.reject(new Error('odd')),
      write: () => Promise.reject(new Error('odd')),
    };

    const stopped = await runWorkload({ ...options, clients: [broken], signal: AbortSignal.abort() });
    const failed = runWorkload({ ...options, clients: [broken, broken] });

    await expect(failed).rejects.toThrow('odd');
    expect(stopped).toEqual({ done: 0, notDone: 0, unknown: 0 });
    expect(recorder.history().operations.length).toBe(2);
  });
});

describe('readEverything', () => {
  test('asks until it is answered, and gives up at some time', async () => {
    let refusals = 3;
    const store: StoreClient = {
      read: async () => (refusals-- > 0 ? { kind: 'not-done', reason: 'no leader' } : { kind: 'rows', rows: [null] }),
      write: () => Promise.reject(new Error('not asked for')),
    };
    const recorder = new HistoryRecorder({ now: () => 0 });
    const options = { clients: [store], recorder, random: seededRandom(1), operations: 0, pause: noPause };

    await readEverything({ ...options, registers: ['x'], lists: [] });
    refusals = 100;
    const given = readEverything({ ...options, registers: ['x'], lists: [] }, 5);

    await expect(given).rejects.toThrow('x cannot be read at the end: no leader');
    expect(recorder.history().operations.length).toBe(9);
  });
});

describe('outcomeOf', () => {
  test('turns the errors that it knows into outcomes, and lets others through', async () => {
    const judge = (error: unknown) =>
      String(error).includes('late') ? { kind: 'unknown' as const, reason: 'late' } : undefined;

    const known = await outcomeOf(() => Promise.reject(new Error('late')), judge);
    const other = outcomeOf(() => Promise.reject(new Error('odd')), judge);

    expect(known).toEqual({ kind: 'unknown', reason: 'late' });
    await expect(other).rejects.toThrow('odd');
  });
});
