/** Processes that open, use, close and die on one disk, all at once: however they come, one of them at most has the store. */

import { KayaError } from '@kayadb/codec';
import { type Engine, openEngine } from '@kayadb/engine';
import { breathe, type SeededRandom, VirtualClock } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { type FakeProcess, fakeProcessWorld, InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';

import { lateDisk } from '../crash/late-disk.ts';
import type { Findings } from '../report.ts';
import { contentOf, DIRECTORY, tinyOptions } from '../workload/proof-world.ts';

const RIVALS = 4;

export interface RivalFigures {
  opened: number;
  refused: number;
  died: number;
}

/** Rounds in which some processes try at once; whoever has the store writes, and dies or closes. */
export async function fightForStore(random: SeededRandom, rounds: number, findings: Findings): Promise<RivalFigures> {
  const figures: RivalFigures = { opened: 0, refused: 0, died: 0 };
  const fileSystem = new MemoryFileSystem();
  const world = fakeProcessWorld();
  const model = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    const rivals = Array.from({ length: RIVALS }, () => world.start({ bootId: 'boot' }));
    const dead = new Set<FakeProcess>();
    const opened = await Promise.all(
      rivals.map((process) => tryToOpen(diskOf(process, fileSystem, dead, random), process, findings)),
    );
    const winners = opened.flatMap((engine, i) => (engine === undefined ? [] : [{ engine, process: rivals[i]! }]));
    if (winners.length !== 1)
      findings.add(`round ${round}: ${winners.length} processes have the store (seed ${random.seed})`);
    figures.opened += winners.length;
    figures.refused += RIVALS - winners.length;
    for (const { engine, process } of winners) {
      const found = await contentOf(engine);
      const isSame = found.size === model.size && [...model].every(([key, value]) => found.get(key) === value);
      if (!isSame)
        findings.add(`round ${round}: the store is not what the process before has left (seed ${random.seed})`);
      for (let i = random.int(20); i > 0; i--) {
        const key = `k${random.int(30)}`;
        await engine.put(key, `${round}:${i}`);
        model.set(key, `${round}:${i}`);
      }
      // As all its fake files are in memory, a process that dies leaves them as they are.
      if (random.chance(0.5)) await engine.close();
      else figures.died++;
      process.kill();
      dead.add(process);
    }
    await breathe();
  }
  return figures;
}

/** Takes its time, so that rivals come in another order each time; of a process that has died nothing goes on. */
function diskOf(
  process: FakeProcess,
  fileSystem: MemoryFileSystem,
  dead: ReadonlySet<FakeProcess>,
  random: SeededRandom,
): FileSystem {
  const mortal = new InterceptedFileSystem(fileSystem, {
    call: (_operation, run) => (dead.has(process) ? new Promise(() => undefined) : run()),
    callSync: (_operation, run) => run(),
  });
  return lateDisk(mortal, random);
}

async function tryToOpen(
  fileSystem: FileSystem,
  processes: FakeProcess,
  findings: Findings,
): Promise<Engine | undefined> {
  try {
    return await openEngine(DIRECTORY, { ...tinyOptions, fileSystem, processes, clock: new VirtualClock() });
  } catch (error) {
    const isRefusal = error instanceof KayaError && error.code === 'KAYA_LOCKED';
    if (!isRefusal) findings.add(`a process is refused with ${String(error)}`);
    return undefined;
  }
}
