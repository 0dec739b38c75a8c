/** One random store, harmed, planned, salvaged by both policies, opened, verified and read both ways. */

import { isDeepStrictEqual } from 'node:util';

import { EngineError, type EngineOptions, planRecovery, type SalvagePolicy, salvageStore } from '@kayadb/engine';
import { seededRandom, VirtualClock } from '@kayadb/testkit';
import { fakeProcessTable, type MemoryFileSystem } from '@kayadb/vfs/testing';

import { contentOf, ProofWorld, DIRECTORY } from '../workload/proof-world.ts';
import { sameContent } from '../workload/workload.ts';
import { harmStore } from './harm.ts';
import { judgeNewest, judgeProvable, type Salvaged } from './judge-salvage.ts';
import { buildPastStore, readFiles, type StoreFiles } from './past-store.ts';

const TARGET = '/saved';

export interface SalvageRound {
  /** `undefined` when nothing of a store was left. */
  readonly basis: 'current' | 'other-manifest' | 'tables' | undefined;
  readonly rowCount: number;
  readonly sentences: readonly string[];
}

/** @param stranger - Another store, whose files have the same names. */
export async function tryRound(seed: number, stranger: StoreFiles): Promise<SalvageRound> {
  const store = await buildPastStore(seed);
  const { disk } = store;
  const random = seededRandom(seed ^ 0x5a5a5a);
  const isHarmed = !random.chance(0.05);
  const sources = { earlier: store.earlier, stranger };
  const harms = isHarmed ? await harmStore(disk, await readFiles(disk), sources, random) : [];
  const before = await readFiles(disk);
  const planned = await planOf(disk).catch(nothingThere);
  if (planned === undefined) return { basis: undefined, rowCount: 0, sentences: [] };
  const provable = await salvage(disk, 'provable');
  const newest = await salvage(disk, 'newest-found');
  const judgement = {
    basis: planned.basis,
    mayEndEarly: harms.some(({ isSilent }) => isSilent),
    isStale: harms.some(({ isStale }) => isStale),
  };
  // Of several foreign files, or without the word of CURRENT, nobody can tell which store is the stranger.
  const foreignCount = harms.filter(({ isForeign }) => isForeign === true).length;
  const isAmbiguous = foreignCount > (planned.basis === 'current' ? 1 : 0);
  const sentences = [
    ...(isAmbiguous ? [] : judgeProvable(provable, store, judgement)),
    ...(isAmbiguous ? [] : judgeNewest(newest, store, judgement)),
    ...provable.sentences,
    ...newest.sentences,
  ];
  for (const { report } of [provable, newest]) {
    const promised = planned.waysOut.find(({ policy }) => policy === report.policy);
    if (promised !== undefined && !isDeepStrictEqual(promised, report.wayOut))
      sentences.push('the plan said otherwise');
  }
  if (!isDeepStrictEqual(await readFiles(disk), before)) sentences.push('the old directory was changed');
  if (harms.length === 0 && provable.report.wayOut.lastSequence !== store.lastSequence) {
    sentences.push(`undamaged: it proves ${provable.report.wayOut.lastSequence} of ${store.lastSequence}`);
  }
  const story = harms.map((harm) => harm.story).join('; ');
  return {
    basis: planned.basis,
    rowCount: provable.content.size,
    sentences: sentences.map((sentence) => `seed ${seed}, ${story}: ${sentence}`),
  };
}

function nothingThere(error: unknown): undefined {
  if (error instanceof EngineError && error.code === 'KAYA_NOTHING_TO_SALVAGE') return undefined;
  throw error;
}

function planOf(disk: MemoryFileSystem): ReturnType<typeof planRecovery> {
  return planRecovery(disk, DIRECTORY, { clock: new VirtualClock(), processes: fakeProcessTable(), showKeys: true });
}

async function salvage(
  disk: MemoryFileSystem,
  policy: SalvagePolicy,
): Promise<Salvaged & { readonly sentences: readonly string[] }> {
  const random = seededRandom(7);
  const report = await salvageStore(disk, DIRECTORY, TARGET, {
    policy,
    clock: new VirtualClock(),
    processes: fakeProcessTable(),
    showKeys: true,
    randomBytes: (count) => random.bytes(count),
  });
  const options: EngineOptions = { createIfMissing: false };
  const engine = await new ProofWorld(disk).open(options, TARGET);
  const content = await contentOf(engine);
  const backward = await contentOf(engine, { reverse: true });
  const sentences: string[] = [];
  await engine.verify();
  if (!sameContent(content, backward)) sentences.push(`${policy}: backwards it holds other rows`);
  if (content.size !== report.rowCount)
    sentences.push(`${policy}: ${report.rowCount} rows were said, ${content.size} are there`);
  if (report.rowCount !== report.wayOut.rowCount)
    sentences.push(`${policy}: the way out has ${report.wayOut.rowCount} rows`);
  await engine.close();
  for (const { name } of await disk.readDirectory(TARGET)) await disk.unlink(`${TARGET}/${name}`);
  await disk.removeDirectory(TARGET);
  return { report, content, sentences };
}
