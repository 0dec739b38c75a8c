import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { encodeConfigChange } from '../core/config-change-encoding.ts';
import type { Configuration, Entry, Snapshot } from '../core/types.ts';
import { MemoryRaftStorage } from '../storage/memory-storage.ts';
import { bootstrapGroup, prepareStart } from './node-start.ts';
import type { StateMachine } from './state-machine.ts';

const GROUP: Configuration = {
  voters: [1, 2, 3],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};
const DATA = encodeUtf8('state');

class IndexMachine implements StateMachine<string> {
  appliedIndex: number;
  restored: number[] = [];

  constructor(appliedIndex: number) {
    this.appliedIndex = appliedIndex;
  }

  get durableIndex(): number {
    return this.appliedIndex;
  }

  async apply(_entries: readonly Entry[], upTo: number): Promise<readonly string[]> {
    this.appliedIndex = upTo;
    return [];
  }

  async snapshot(): Promise<Uint8Array> {
    return DATA;
  }

  async restore({ meta }: Snapshot): Promise<void> {
    this.restored.push(meta.index);
    this.appliedIndex = meta.index;
  }
}

/** A log with a snapshot of index 10, and entries up to 15, of which 12 makes node 4 a learner and 14 removes node 3. */
async function usedStorage(commit: number): Promise<MemoryRaftStorage> {
  const snapshot = { meta: { index: 10, term: 2, configuration: GROUP }, data: DATA };
  const storage = new MemoryRaftStorage({ snapshot, hardState: { term: 2, vote: 1, commit: 10 } });
  const steps = new Map([
    [12, { kind: 'add-learner', node: 4 }],
    [14, { kind: 'remove', node: 3 }],
  ] as const);
  const entries = [11, 12, 13, 14, 15].map((index): Entry => {
    const step = steps.get(index as 12 | 14);
    if (step === undefined) return { index, term: 2, kind: 'normal', data: DATA };
    const data = encodeConfigChange({ transition: 'auto', steps: [step], context: new Uint8Array(0) });
    return { index, term: 2, kind: 'config', data };
  });
  await storage.write({ entries, hardState: { term: 2, vote: 1, commit }, snapshot: undefined });
  return storage.reopen();
}

describe('prepareStart', () => {
  test.each([
    { applied: 10, voters: [1, 2, 3], learners: [] },
    { applied: 12, voters: [1, 2, 3], learners: [4] },
    { applied: 15, voters: [1, 2], learners: [4] },
  ])('knows the group as of index $applied', async ({ applied, voters, learners }) => {
    const { point, logStorage } = await prepareStart(await usedStorage(15), new IndexMachine(applied));

    expect(point).toMatchObject({ index: applied, term: 2, configuration: { voters, learners } });
    expect(logStorage.initialState().configuration).toEqual(point.configuration);
  });

  test('raises a commit index that was not synced to what was applied', async () => {
    const { logStorage } = await prepareStart(await usedStorage(11), new IndexMachine(13));

    expect(logStorage.initialState().hardState).toEqual({ term: 2, vote: 1, commit: 13 });
  });

  test('restores the snapshot into a state machine that the log does not reach back to', async () => {
    const machine = new IndexMachine(4);

    const { point } = await prepareStart(await usedStorage(11), machine);

    expect(machine.restored).toEqual([10]);
    expect(point.index).toBe(10);
  });

  test('goes on from a state machine below the snapshot when the log reaches back to it', async () => {
    const storage = await usedStorage(15);
    await storage.saveSnapshot({
      meta: { index: 14, term: 2, configuration: { ...GROUP, voters: [1, 2] } },
      data: DATA,
    });
    const machine = new IndexMachine(11);

    const { point, configurationIndex } = await prepareStart(storage.reopen(), machine);

    expect(machine.restored).toEqual([]);
    expect(point).toMatchObject({ index: 11, configuration: { voters: [1, 2] } });
    expect(configurationIndex).toBe(14);
  });

  test('refuses a state machine that is ahead of the log', async () => {
    const start = prepareStart(await usedStorage(15), new IndexMachine(16));

    await expect(start).rejects.toMatchObject({ code: 'KAYA_RAFT_FOREIGN' });
  });

  test('refuses a state machine that has applied another entry than the log has', async () => {
    const machine = Object.assign(new IndexMachine(13), { appliedTerm: 1 });

    await expect(prepareStart(await usedStorage(15), machine)).rejects.toMatchObject({ code: 'KAYA_RAFT_FOREIGN' });
    machine.appliedTerm = 2;
    expect((await prepareStart(await usedStorage(15), machine)).point).toMatchObject({ index: 13, term: 2 });
  });

  test('tells how much was applied behind the snapshot', async () => {
    const { applied } = await prepareStart(await usedStorage(15), new IndexMachine(13));

    expect(applied).toMatchObject([{ upTo: 13 }]);
    expect(applied[0]!.bytes).toBeGreaterThan(2 * DATA.length);
  });
});

describe('bootstrapGroup', () => {
  test('leaves a log that begins behind a snapshot of the group, once', async () => {
    const storage = new MemoryRaftStorage();
    const machine = new IndexMachine(0);

    const first = await bootstrapGroup(storage, machine, GROUP);
    const opened = storage.reopen();
    const second = await bootstrapGroup(opened, machine, { ...GROUP, voters: [9] });

    expect([first, second]).toEqual([true, false]);
    expect(opened.initialState()).toEqual({ hardState: { term: 1, vote: 0, commit: 1 }, configuration: GROUP });
    expect(opened).toMatchObject({ firstIndex: 2, lastIndex: 1 });
    expect(machine.appliedIndex).toBe(1);
  });

  test('begins again where a crash has left its term, and nothing else', async () => {
    const storage = new MemoryRaftStorage();
    await storage.write({ entries: [], hardState: { term: 1, vote: 0, commit: 0 }, snapshot: undefined });
    const opened = storage.reopen();

    const isDone = await bootstrapGroup(opened, new IndexMachine(1), GROUP);

    expect(isDone).toBe(true);
    expect(opened.reopen().initialState().configuration).toEqual(GROUP);
  });

  test('leaves a node alone that has voted, or was told of a later term', async () => {
    const ends = [];
    for (const hardState of [
      { term: 1, vote: 2, commit: 0 },
      { term: 2, vote: 0, commit: 0 },
    ]) {
      const storage = new MemoryRaftStorage();
      await storage.write({ entries: [], hardState, snapshot: undefined });
      ends.push(await bootstrapGroup(storage.reopen(), new IndexMachine(0), GROUP));
    }

    expect(ends).toEqual([false, false]);
  });
});
