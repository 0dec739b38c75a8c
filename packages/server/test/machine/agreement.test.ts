/** The machine against its naive twin, over random logs, batch cuts, restarts and crashes. */

import type { Entry } from '@kayadb/raft';
import { seededRandom, testSeed } from '@kayadb/testkit';
import type { SeededRandom } from '@kayadb/testkit';
import { crashClone, crashModes, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { CommandResult } from '../../src/machine/command-result.ts';
import type { Command } from '../../src/machine/command.ts';
import type { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { MachineModel, textOf } from './machine-model.ts';
import { between, entriesOf, MachineWorld } from './machine-world.ts';
import { randomCommands } from './random-commands.ts';

const COUNT = 260;
const ROUNDS = 12;

interface Run {
  readonly entries: readonly Entry[];
  /** By index. */
  readonly answers: ReadonlyMap<number, CommandResult>;
  readonly model: MachineModel;
}

function makeRun(random: SeededRandom): Run {
  const commands = randomCommands(random, COUNT);
  const model = new MachineModel();
  const answers = new Map<number, CommandResult>();
  for (const [i, command] of commands.entries()) {
    if (command !== undefined) answers.set(i + 1, model.apply(command, i + 1, 1));
  }
  return { entries: entriesOf(commands), answers, model };
}

/** Feeds the log in random cuts up to `last`, and compares every answer. */
async function feed(
  machine: KayaMachine,
  { entries, answers }: Run,
  last: number,
  random: SeededRandom,
): Promise<void> {
  while (machine.appliedIndex < last) {
    const from = machine.appliedIndex + 1;
    const upTo = Math.min(last, from + random.int(random.chance(0.3) ? 60 : 5));
    const due = between(entries, from, upTo);
    const results = await machine.apply(due, upTo);
    expect(results).toEqual(due.map(({ index }) => answers.get(index)));
  }
}

async function userRows(machine: KayaMachine): Promise<ReadonlyMap<string, unknown>> {
  const range = { from: new Uint8Array(0), isFromExclusive: false, to: new Uint8Array(0), isToInclusive: false };
  const scan = machine.scan({ range, isDescending: false, isWithoutValues: false, limit: 0 });
  const rows = new Map<string, unknown>();
  for (let isLast = false; !isLast;) {
    const batch = await scan.next(300, 7);
    for (const { key, value, revision } of batch.rows) rows.set(textOf(key), { value: textOf(value), revision });
    ({ isLast } = batch);
  }
  await scan.close();
  return rows;
}

function sorted(rows: ReadonlyMap<string, unknown>): readonly unknown[] {
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The machine dies and the power goes with it, in any of the ways that there are. */
function crashed(world: MachineWorld, random: SeededRandom): MachineWorld {
  const disk = world.fs as MemoryFileSystem;
  const mode = random.pick(crashModes(disk, () => random.next()));
  return new MachineWorld(crashClone(disk, mode, () => random.next()));
}

describe('a machine', { timeout: 120_000 }, () => {
  test('answers as the model does and holds its rows, through restarts and crashes at any moment', async () => {
    const seed = testSeed();
    let restarts = 0;
    let losses = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const random = seededRandom(seed + round);
      const run = makeRun(random);
      let world = await MachineWorld.create();
      let machine = await world.open();
      while (machine.appliedIndex < COUNT) {
        const before = Math.min(COUNT, machine.appliedIndex + 1 + random.int(120));
        await feed(machine, run, before, random);
        if (random.chance(0.3)) await machine.close();
        else world = crashed(world, random);
        machine = await world.open();
        expect(machine.appliedIndex, `seed ${seed + round}`).toBeLessThanOrEqual(before);
        expect(machine.durableIndex, `seed ${seed + round}`).toBe(machine.appliedIndex);
        restarts++;
        if (machine.appliedIndex < before) losses++;
      }

      expect(sorted(await userRows(machine)), `seed ${seed + round}`).toEqual(sorted(run.model.rows));
      expect(machine.sessionCount).toBe(run.model.sessions.size);
      expect(machine.timeMs).toBe(run.model.timeMs);
      expect(machine.members).toEqual([...run.model.members.values()].toSorted((a, b) => a.node - b.node));
      for (const node of [1, 2, 3, 4]) {
        for (const incarnation of [1, 2]) {
          expect(machine.wasRemoved(node, incarnation)).toBe(run.model.gone.has(`${node}/${incarnation}`));
        }
      }
      await machine.close();
    }
    expect(restarts).toBeGreaterThan(ROUNDS);
    expect(losses).toBeGreaterThan(3);
  });

  test('stands for whole entries and for no more than its index says, when the power goes between the batches of one call', async () => {
    const random = seededRandom(testSeed());
    const disk = new MemoryFileSystem();
    const machine = await (await MachineWorld.create(disk)).open();
    const keys = Array.from({ length: 7 }, (_, i) => Buffer.from(`k${i + 1}`));
    const commands = keys.map((key): Command => {
      const operations = [{ kind: 'put' as const, key, value: new Uint8Array(600_000) }];
      return { kind: 'write', timeMs: 0, write: { conditions: [], operations, otherwise: [] } };
    });
    const disks: MemoryFileSystem[] = [];
    const stop = disk.afterEachMutation(() => {
      if (random.chance(0.2)) disks.push(crashClone(disk, { kind: 'nothing-unsynced' }, () => 0));
    });

    await machine.apply(entriesOf(commands), 9);
    await machine.close();
    stop();

    const indexes = new Set<number>();
    for (const survivor of disks) {
      const again = await new MachineWorld(survivor).open();
      const { appliedIndex } = again;
      indexes.add(appliedIndex);
      const rows = await again.getMany(keys, 7 * 600_000);
      if (rows === 'too-large') throw new TypeError(rows);
      expect(rows.filter((row) => row !== undefined)).toHaveLength(Math.min(appliedIndex, 7));
      expect(rows.slice(appliedIndex).every((row) => row === undefined)).toBe(true);
      await again.close();
    }
    expect(indexes.size).toBeGreaterThan(2);
  });

  test('holds the same rows, byte for byte, however the log was cut and whatever was lost and repeated', async () => {
    const seed = testSeed();
    for (let round = 0; round < 4; round++) {
      const random = seededRandom(seed + 1000 + round);
      const run = makeRun(random);
      const whole = await MachineWorld.create();
      const first = await whole.open();
      await first.apply(run.entries, COUNT);
      await first.close();
      const disk = new MemoryFileSystem();
      const cut = await MachineWorld.create(disk, { seed: 7 });
      const second = await cut.open();
      await feed(second, run, COUNT - 50, random);
      const survivor = new MachineWorld(
        crashClone(disk, { kind: 'nothing-unsynced' }, () => 0),
        { seed: 7 },
      );
      const third = await survivor.open();
      await feed(third, run, COUNT, random);
      await third.close();

      const rows = await survivor.rows();

      expect(rows, `seed ${seed + 1000 + round}`).toEqual(await whole.rows());
      expect(rows.length).toBeGreaterThan(5);
    }
  });
});
