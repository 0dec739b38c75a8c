import { describe, expect, test } from 'vitest';

import type { ConfigChange } from '../core/config-change.ts';
import { type EntryOutcome, Proposals } from './proposals.ts';

const LIMITS = { maxProposals: 100, maxProposalBytes: 1000 };
const CHANGE: ConfigChange = { transition: 'auto', steps: [], context: new Uint8Array(0) };
const DONE: EntryOutcome<string> = { kind: 'result', result: 'done' };

/** Proposals of ten bytes, and how each ended: its code, or its index. */
class World {
  readonly proposals = new Proposals<string>(LIMITS);
  readonly ends: (string | undefined)[] = [];

  add(count: number, deadlineTick = 100, kind: 'normal' | 'config' = 'normal'): void {
    for (let at = 0; at < count; at++) void this.#add(deadlineTick, kind);
  }

  async #add(deadlineTick: number, kind: 'normal' | 'config'): Promise<void> {
    const at = this.ends.push(undefined) - 1;
    const data = new Uint8Array(10);
    const proposal = kind === 'normal' ? { kind, data } : { kind, data, change: CHANGE };
    try {
      const { index } = await this.proposals.add(proposal, deadlineTick);
      this.ends[at] = `kept at ${index}`;
    } catch (error) {
      this.ends[at] = (error as { readonly code: string }).code.replace('KAYA_RAFT_', '');
    }
  }

  appended(count: number, index: number, term: number): void {
    this.proposals.proposed(count, { kind: 'appended', index, term }, 1);
  }

  async settled(): Promise<readonly (string | undefined)[]> {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    return this.ends;
  }
}

describe('Proposals', () => {
  test('end as kept when the entry applied at their index has their term', async () => {
    const world = new World();
    world.add(2);
    world.appended(2, 5, 3);

    world.proposals.applied({ index: 5, term: 3 }, DONE);

    expect(await world.settled()).toEqual(['kept at 5', undefined]);
    expect(world.proposals).toMatchObject({ count: 1, bytes: 10 });
  });

  test('end as dropped when an entry of a later term is applied at their index, or below it', async () => {
    const world = new World();
    world.add(3);
    world.appended(3, 5, 3);

    world.proposals.applied({ index: 4, term: 4 }, DONE);

    expect(await world.settled()).toEqual(['DROPPED', 'DROPPED', 'DROPPED']);
  });

  test('of an earlier term go, those of a later one stay', async () => {
    const world = new World();
    world.add(1);
    world.appended(1, 5, 2);
    world.add(1);
    world.appended(1, 5, 4);

    world.proposals.applied({ index: 4, term: 3 }, DONE);
    world.proposals.applied({ index: 5, term: 4 }, DONE);

    expect(await world.settled()).toEqual(['DROPPED', 'kept at 5']);
  });

  test('are not touched by entries before them', async () => {
    const world = new World();
    world.add(1);
    world.appended(1, 5, 3);

    world.proposals.applied({ index: 3, term: 2 }, DONE);
    world.proposals.applied({ index: 4, term: 3 }, DONE);

    expect(await world.settled()).toEqual([undefined]);
  });

  test.each([
    { index: 5, term: 3, snapshot: { index: 5, term: 3 }, end: 'UNKNOWN_OUTCOME' },
    { index: 5, term: 3, snapshot: { index: 9, term: 4 }, end: 'UNKNOWN_OUTCOME' },
    { index: 5, term: 3, snapshot: { index: 9, term: 2 }, end: 'DROPPED' },
    { index: 9, term: 3, snapshot: { index: 5, term: 4 }, end: 'DROPPED' },
    { index: 9, term: 3, snapshot: { index: 5, term: 3 }, end: undefined },
  ])('($index, term $term) under a snapshot of $snapshot end as $end', async ({ index, term, snapshot, end }) => {
    const world = new World();
    world.add(1);
    world.appended(1, index, term);

    world.proposals.coveredBySnapshot(snapshot.index, snapshot.term);

    expect(await world.settled()).toEqual([end]);
  });

  test('end at their deadline: unknown in the log, dropped before', async () => {
    const world = new World();
    world.add(2, 10);
    world.appended(1, 5, 3);

    world.proposals.expire(9);
    const before = [...(await world.settled())];
    world.proposals.expire(10);

    expect(before).toEqual([undefined, undefined]);
    expect(await world.settled()).toEqual(['UNKNOWN_OUTCOME', 'DROPPED']);
    expect(world.proposals).toMatchObject({ count: 0, bytes: 0 });
  });

  test('a change of the group that the leader made an entry for nobody out of is dropped', async () => {
    const world = new World();
    world.add(1, 100, 'config');
    world.appended(1, 5, 3);

    world.proposals.applied({ index: 5, term: 3 }, { kind: 'nothing' });

    expect(await world.settled()).toEqual(['DROPPED']);
  });

  test('come in batches by size, and changes of the group alone', () => {
    const world = new World();
    world.add(3);
    world.add(1, 100, 'config');
    world.add(1);

    const sizes: string[] = [];
    while (world.proposals.waitingCount > 0) {
      const batch = world.proposals.nextBatch(20, 100);
      sizes.push(batch.map(({ kind }) => kind).join('+'));
      world.appended(batch.length, 5, 3);
    }

    expect(sizes).toEqual(['normal+normal', 'normal', 'config', 'normal']);
  });

  test('a batch has one at least, however large', () => {
    const world = new World();
    world.add(2);

    expect(world.proposals.nextBatch(1, 100)).toHaveLength(1);
  });

  test('a batch has no more than it may, however small', () => {
    const world = new World();
    world.add(5);

    expect(world.proposals.nextBatch(1000, 3)).toHaveLength(3);
  });

  test('are refused beyond the count and beyond the bytes', async () => {
    const world = new World();
    world.add(101);
    const byBytes = new Proposals<string>(LIMITS);
    void byBytes.add({ kind: 'normal', data: new Uint8Array(990) }, 1);

    const beyond = byBytes.add({ kind: 'normal', data: new Uint8Array(11) }, 1);

    expect((await world.settled()).filter((end) => end === 'DROPPED')).toHaveLength(1);
    await expect(beyond).rejects.toMatchObject({ code: 'KAYA_RAFT_DROPPED' });
  });

  test.each([
    ['quota', 'KAYA_RAFT_DROPPED'],
    ['transferring', 'KAYA_RAFT_DROPPED'],
    ['no-leader', 'KAYA_RAFT_NOT_LEADER'],
    ['not-member', 'KAYA_RAFT_NOT_LEADER'],
    ['forwarding-disabled', 'KAYA_RAFT_NOT_LEADER'],
  ] as const)('that the core drops for "%s" end as %s', async (reason, code) => {
    const { proposals } = new World();
    const end = proposals.add({ kind: 'normal', data: new Uint8Array(1) }, 1);

    proposals.proposed(1, { kind: 'dropped', reason }, 7);

    await expect(end).rejects.toMatchObject(reason === 'forwarding-disabled' ? { code, leader: 7 } : { code });
  });
});
