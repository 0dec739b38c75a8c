/** The lock under many seeded orders of three contenders, any of which may die between any two file operations. */

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { acquireDirectoryLock, DirectoryLockedError, type FileSystem, type ProcessTable } from '../src/index.ts';
import { type Actor, type FakeProcess, fakeProcessWorld, Interleaver, MemoryFileSystem } from '../src/testing/index.ts';

const SCHEDULES = 1000;
const CONTENDERS = 3;

interface Held {
  release(): Promise<void>;
}

type Acquire = (fs: FileSystem, processes: ProcessTable) => Promise<Held>;

interface Outcome {
  /** The most that held the lock at one moment. */
  readonly mostHolders: number;
  readonly acquisitions: number;
  readonly crashes: number;
  /** Whether a process that comes later, alone, gets the lock. */
  readonly laterOneGetsIt: boolean;
}

/** Runs one schedule: a stale lock is there, three processes want it, hold it for a while and release it. */
async function runSchedule(seed: number, acquire: Acquire): Promise<Outcome> {
  const random = seededRandom(seed);
  const disk = new MemoryFileSystem();
  await disk.makeDirectory('/db');
  const world = fakeProcessWorld();
  if (random.chance(0.8)) {
    const dead = world.start();
    await acquireDirectoryLock(disk, '/db', dead);
    dead.kill();
  }

  const interleaver = new Interleaver(() => random.next());
  const holders = new Set<Actor>();
  const processes = new Map<Actor, FakeProcess>();
  let acquisitions = 0;
  let mostHolders = 0;
  const contend = (name: string): void => {
    const process = world.start();
    const actor: Actor = interleaver.spawn(name, disk, async (fs) => {
      for (let attempt = 0; attempt < 2; attempt++) {
        const lock = await acquire(fs, process).catch((error: unknown) => {
          if (error instanceof DirectoryLockedError) return undefined;
          throw error;
        });
        if (lock === undefined) continue;
        acquisitions++;
        holders.add(actor);
        mostHolders = Math.max(mostHolders, holders.size);
        await fs.stat('/db');
        holders.delete(actor);
        await lock.release();
      }
    });
    processes.set(actor, process);
  };
  for (let index = 0; index < CONTENDERS; index++) contend(`contender ${index}`);

  const deaths = random.pick([0, 0.02, 0.1]);
  let crashes = 0;
  while ((await interleaver.step()) !== undefined) {
    const actor = random.pick([...processes.keys()]);
    if (actor.state !== 'waiting' || !random.chance(deaths)) continue;
    interleaver.crash(actor);
    processes.get(actor)?.kill();
    holders.delete(actor);
    crashes++;
  }

  const later = await acquire(disk, world.start()).catch(() => undefined);
  return { mostHolders, acquisitions, crashes, laterOneGetsIt: later !== undefined };
}

async function runSchedules(acquire: Acquire): Promise<readonly (Outcome & { readonly seed: number })[]> {
  const first = testSeed();
  const outcomes: (Outcome & { seed: number })[] = [];
  for (let index = 0; index < SCHEDULES; index++) {
    const seed = first + index;
    outcomes.push({ seed, ...(await runSchedule(seed, acquire)) });
  }
  return outcomes;
}

/** What the lock would be without claims on takeovers: look, remove the dead one's file, make our own. */
const acquireCarelessly: Acquire = async (fs, processes) => {
  const token = processes.newToken();
  const self = encodeUtf8(JSON.stringify({ ...processes.self(), token }));
  const handle = await fs.open(`/db/${token}.tmp`, 'create');
  await handle.write(self, 0);
  for (;;) {
    try {
      await fs.link(`/db/${token}.tmp`, '/db/LOCK');
      return { release: () => fs.unlink('/db/LOCK').catch(() => {}) };
    } catch {
      const bytes = await fs.readFile('/db/LOCK').catch(() => undefined);
      if (bytes === undefined) continue;
      const owner = JSON.parse(decodeUtf8(bytes));
      if (processes.isAlive(owner) !== 'dead')
        throw new DirectoryLockedError({
          path: '/db/LOCK',
          owner,
          liveness: 'alive',
          detail: 'held',
        });
      await fs.unlink('/db/LOCK').catch(() => {});
    }
  }
};

describe('the directory lock under seeded schedules', () => {
  test('never has two holders, and somebody gets it in the end', async () => {
    const outcomes = await runSchedules((fs, processes) => acquireDirectoryLock(fs, '/db', processes));

    const wrong = outcomes.filter(
      (outcome) =>
        outcome.mostHolders > 1 || !outcome.laterOneGetsIt || (outcome.crashes === 0 && outcome.acquisitions === 0),
    );
    expect(wrong).toEqual([]);
    expect(outcomes.filter((outcome) => outcome.crashes > 0).length).toBeGreaterThan(SCHEDULES / 4);
    expect(outcomes.filter((outcome) => outcome.acquisitions > 1).length).toBeGreaterThan(SCHEDULES / 4);
  });

  test('canary: the same schedules catch a lock that removes stale files without a claim', async () => {
    const outcomes = await runSchedules(acquireCarelessly);

    expect(outcomes.some((outcome) => outcome.mostHolders > 1)).toBe(true);
  });
});
