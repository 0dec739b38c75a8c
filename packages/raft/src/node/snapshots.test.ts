import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { EMPTY_CONFIGURATION } from '../core/types.ts';
import { MemoryRaftStorage } from '../storage/memory-storage.ts';
import type { NodeEvent } from './node-events.ts';
import { type AppliedStretch, Snapshots } from './snapshots.ts';
import type { AppliedPoint } from './state-machine.ts';

const POLICY = { snapshotBytes: 1000, keepBytes: 0, keepForSlowBytes: 0 };

class World {
  readonly storage = new MemoryRaftStorage();
  readonly events: NodeEvent['kind'][] = [];
  readonly told: string[] = [];
  readonly snapshots: Snapshots;
  finish: (bytes?: number) => void = () => {};

  constructor(applied: readonly AppliedStretch[] = []) {
    const stateMachine = {
      appliedIndex: 0,
      durableIndex: 100,
      apply: async () => [],
      snapshot: () =>
        new Promise<Uint8Array>((resolve) => {
          this.finish = (bytes = 1) => resolve(new Uint8Array(bytes));
        }),
      restore: async () => {},
    };
    const onEvent = ({ kind }: NodeEvent): void => void this.events.push(kind);
    this.snapshots = new Snapshots(POLICY, this.storage, stateMachine, { otherMembers: () => [], onEvent }, applied);
  }

  async fill(count: number): Promise<void> {
    const entries = Array.from({ length: count }, (_, at) => ({
      index: at + 1,
      term: 1,
      kind: 'normal' as const,
      data: new Uint8Array(1),
    }));
    await this.storage.write({ entries, hardState: { term: 1, vote: 0, commit: 0 }, snapshot: undefined });
  }

  demand(who: string): void {
    this.snapshots.demand(() => void this.told.push(who));
  }
}

function pointOf(index: number): AppliedPoint {
  return { index, term: 1, configuration: EMPTY_CONFIGURATION };
}

describe('Snapshots', () => {
  test('are made when enough was applied, one at a time, and the log goes behind them', async () => {
    const world = new World();
    await world.fill(20);

    world.snapshots.pointMoved(pointOf(5), 999);
    const early = world.snapshots.isMaking;
    world.snapshots.pointMoved(pointOf(6), 1);
    world.snapshots.pointMoved(pointOf(20), 5000);
    world.finish();
    await settle();

    expect(early).toBe(false);
    expect(world.events).toEqual(['snapshot-made', 'log-compacted']);
    expect(world.storage.snapshot()).toMatchObject({ meta: { index: 6 } });
    expect(world.storage.firstIndex).toBe(7);
  });

  test('are made for somebody who needs one, and he is told when it is there', async () => {
    const world = new World();
    await world.fill(5);

    world.demand('a');
    world.snapshots.meetDemand(pointOf(5));
    world.demand('b');
    await settle();
    const early = [...world.told];
    world.finish();
    await settle();

    expect(early).toEqual([]);
    expect(world.told).toEqual(['a', 'b']);
    expect(world.events[0]).toBe('snapshot-made');
  });

  test('tell somebody who needs one at once when there is nothing newer to make one of', async () => {
    const world = new World();
    await world.storage.write({
      entries: [],
      hardState: { term: 1, vote: 0, commit: 5 },
      snapshot: { meta: pointOf(5), data: new Uint8Array(0) },
    });

    world.demand('a');
    world.snapshots.meetDemand(pointOf(5));
    await settle();

    expect(world.told).toEqual(['a']);
    expect(world.events).toEqual([]);
  });

  test('that are made while one of a leader comes give way to it', async () => {
    const world = new World();
    await world.fill(20);
    world.snapshots.pointMoved(pointOf(5), 1000);

    world.snapshots.restoreBegins();
    world.finish();
    await settle();

    expect(world.events).toEqual([]);
    expect(world.storage.snapshot()).toBe('unavailable');
  });

  test('are due at the first entry when enough was applied in earlier lives', async () => {
    const world = new World([
      { upTo: 5, bytes: 600 },
      { upTo: 10, bytes: 600 },
    ]);
    await world.fill(20);

    world.snapshots.pointMoved(pointOf(11), 1);
    world.finish();
    await settle();

    expect(world.events).toEqual(['snapshot-made', 'log-compacted']);
    expect(world.storage.snapshot()).toMatchObject({ meta: { index: 11 } });
  });

  test('are not kept when they are too large to be sent to anybody', async () => {
    const world = new World();
    await world.fill(20);

    world.snapshots.pointMoved(pointOf(5), 1000);
    world.finish(16 * 1024 * 1024 + 1);
    await settle();

    expect(world.events).toEqual(['snapshot-not-made']);
    expect(world.storage.snapshot()).toBe('unavailable');
  });

  test('are made all the same when the log behind them cannot go, which is told', async () => {
    const world = new World();
    await world.fill(20);
    world.storage.compact = () => Promise.reject(new Error('the disk is full'));

    world.snapshots.pointMoved(pointOf(5), 1000);
    world.finish();
    await settle();

    expect(world.events).toEqual(['snapshot-made', 'log-not-compacted']);
    expect(world.snapshots.isMaking).toBe(false);
  });
});
