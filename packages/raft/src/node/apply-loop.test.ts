import { encodeUtf8 } from '@kayadb/codec';
import { settle, VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { encodeConfigChange } from '../core/config-change-encoding.ts';
import type { StorageApply } from '../core/message.ts';
import { APPLY_THREAD, type Configuration, type Entry, type EntryKind } from '../core/types.ts';
import { ApplyLoop } from './apply-loop.ts';
import type { StateMachine } from './state-machine.ts';

const GROUP: Configuration = { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

/** Says what it was asked to do. */
class LoggingMachine implements StateMachine<string> {
  appliedIndex = 10;
  durableIndex = 10;
  readonly log: string[];
  gate: Promise<void> | undefined;

  constructor(log: string[]) {
    this.log = log;
  }

  async apply(entries: readonly Entry[], upTo: number): Promise<readonly string[]> {
    this.log.push(`apply [${entries.map(({ index }) => index).join(' ')}] to ${upTo}`);
    await this.gate;
    return entries.map(({ index }) => `result ${index}`);
  }

  async snapshot(): Promise<Uint8Array> {
    return new Uint8Array(0);
  }

  async restore({ meta }: { readonly meta: { readonly index: number } }): Promise<void> {
    this.log.push(`restore ${meta.index}`);
  }
}

class World {
  readonly log: string[] = [];
  readonly machine = new LoggingMachine(this.log);
  readonly loop: ApplyLoop<string>;
  readonly clock = new VirtualClock();
  yields = 0;
  /** What restoring waits for. */
  otherWork: Promise<void> = Promise.resolve();

  constructor(configurationIndex = 10) {
    const start = { point: { index: 10, term: 1, configuration: GROUP }, configurationIndex };
    this.loop = new ApplyLoop(
      this.machine,
      start,
      {
        applyConfigChange: ({ index }) => void this.log.push(`change ${index}`),
        onEntryApplied: ({ index }, outcome) =>
          void this.log.push(`${index}: ${outcome.kind === 'result' ? outcome.result : outcome.kind}`),
        onPointMoved: ({ index }) => void this.log.push(`at ${index}`),
        onApplied: ({ entries }) => void this.log.push(`done ${entries.length}`),
        readyToRestore: () => this.otherWork,
        onRestored: ({ meta }) => void this.log.push(`restored ${meta.index}`),
        onIdle: () => {},
        onFailed: (cause) => void this.log.push(`failed: ${(cause as Error).message}`),
      },
      {
        clock: this.clock,
        yieldTurn: async () => {
          this.yields++;
        },
      },
    );
  }

  apply(...entries: readonly Entry[]): void {
    const work: StorageApply = { kind: 'storage-apply', from: 1, to: APPLY_THREAD, entries, responses: [] };
    this.loop.apply(work);
  }
}

function entry(index: number, data: Uint8Array = encodeUtf8('x'), kind: EntryKind = 'normal'): Entry {
  return { index, term: 2, kind, data };
}

function change(index: number, kind: 'add-learner' | 'remove', ...nodes: readonly number[]): Entry {
  const steps = nodes.map((node) => ({ kind, node }));
  return entry(index, encodeConfigChange({ transition: 'auto', steps, context: new Uint8Array(0) }), 'config');
}

const EMPTY = new Uint8Array(0);

describe('ApplyLoop', () => {
  test('applies many entries in one call, skips empty ones, and ends calls at changes of the group', async () => {
    const world = new World();

    world.apply(entry(11), entry(12, EMPTY), entry(13), change(14, 'add-learner', 3), entry(15));
    await settle();

    expect(world.log).toEqual([
      'apply [11 13] to 14',
      'change 14',
      'at 14',
      '11: result 11',
      '12: nothing',
      '13: result 13',
      '14: configuration',
      'apply [15] to 15',
      'at 15',
      '15: result 15',
      'done 5',
    ]);
    expect(world.loop.point).toEqual({ index: 15, term: 2, configuration: { ...GROUP, learners: [3] } });
  });

  test('moves the index of the state machine on for entries that are for nobody', async () => {
    const world = new World();

    world.apply(entry(11, EMPTY));
    await settle();

    expect(world.log).toEqual(['apply [] to 11', 'at 11', '11: nothing', 'done 1']);
  });

  test('makes one call at a time, in order', async () => {
    const world = new World();
    let open: () => void = () => {};
    world.machine.gate = new Promise((resolve) => {
      open = resolve;
    });

    world.apply(entry(11));
    world.apply(entry(12));
    await settle();
    const before = [...world.log];
    open();
    await settle();

    expect(before).toEqual(['apply [11] to 11']);
    expect(world.log.filter((line) => line.startsWith('apply'))).toEqual(['apply [11] to 11', 'apply [12] to 12']);
  });

  test('leaves the group as it is when a change does not fit it', async () => {
    const world = new World();

    world.apply(change(11, 'remove', 1, 2));
    await settle();

    expect(world.log).toContain('11: nothing');
    expect(world.log).not.toContain('change 11');
    expect(world.loop.point.configuration).toEqual(GROUP);
  });

  test('takes changes that are in force since the start for done', async () => {
    const world = new World(11);

    world.apply(change(11, 'add-learner', 3), change(12, 'add-learner', 4));
    await settle();

    expect(world.log).not.toContain('change 11');
    expect(world.log).toContain('change 12');
    expect(world.loop.point.configuration.learners).toEqual([4]);
  });

  test('restores a snapshot behind what came before it, and goes on behind it', async () => {
    const world = new World();
    const meta = { index: 20, term: 3, configuration: { ...GROUP, voters: [1, 2, 3] } };

    world.apply(entry(11));
    world.loop.restore({ meta, data: EMPTY }, () => void world.log.push('told'));
    world.apply(entry(21));
    await settle();

    expect(world.log.filter((line) => !line.includes(':'))).toEqual([
      'apply [11] to 11',
      'at 11',
      'done 1',
      'restore 20',
      'restored 20',
      'at 20',
      'told',
      'apply [21] to 21',
      'at 21',
      'done 1',
    ]);
    expect(world.loop.point.configuration.voters).toEqual([1, 2, 3]);
  });

  test('fails on a gap, and does nothing more', async () => {
    const world = new World();

    world.apply(entry(12));
    world.apply(entry(11));
    await settle();

    expect(world.log).toEqual(['failed: entry 12 is to be applied behind 10']);
  });

  test('fails on a state machine that does not answer every entry', async () => {
    const world = new World();
    world.machine.apply = async () => [];

    world.apply(entry(11));
    await settle();

    expect(world.log).toEqual(['failed: the state machine answered a different number of entries']);
  });

  test('fails on a change that it cannot read, rather than take it for none', async () => {
    const world = new World();

    world.apply(entry(11, Uint8Array.of(99), 'config'));
    await settle();

    expect(world.log.at(-1)).toMatch(/^failed: entry 11 changes the group in a way that this version cannot read/);
  });

  test('tells nothing after it was stopped, and stops when the call under way has ended', async () => {
    const world = new World();
    let open: () => void = () => {};
    world.machine.gate = new Promise((resolve) => {
      open = resolve;
    });
    world.apply(entry(11), change(12, 'add-learner', 3), entry(13));
    await settle();

    const stopped = world.loop.stop();
    open();
    await stopped;
    world.apply(entry(14));
    await settle();

    expect(world.log).toEqual(['apply [11] to 12']);
  });

  test('restores a snapshot when nobody else is at work on the state machine', async () => {
    const world = new World();
    let open: () => void = () => {};
    world.otherWork = new Promise((resolve) => {
      open = resolve;
    });

    world.loop.restore({ meta: { index: 20, term: 3, configuration: GROUP }, data: EMPTY }, () => {});
    await settle();
    const before = [...world.log];
    open();
    await settle();

    expect(before).toEqual([]);
    expect(world.log).toEqual(['restore 20', 'restored 20', 'at 20']);
  });

  test('lets others have a turn within a long row of entries', async () => {
    const world = new World();
    world.machine.apply = async (entries) => {
      world.clock.advance(3);
      return entries.map(() => 'x');
    };

    world.apply(...Array.from({ length: 4 * 1024 }, (_, at) => entry(11 + at)));
    await settle();

    expect(world.loop.point.index).toBe(10 + 4 * 1024);
    expect(world.yields).toBe(4);
  });
});
