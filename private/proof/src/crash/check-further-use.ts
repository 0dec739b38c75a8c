/** A store that was opened after a crash is as good as any: nothing in it is damaged, it takes writes, and keeps them. */

import { decodeUtf8 } from '@kayadb/codec';
import type { Engine } from '@kayadb/engine';
import type { SeededRandom } from '@kayadb/testkit';
import { crashClone, type MemoryFileSystem } from '@kayadb/vfs/testing';

import { contentOf, ProofWorld } from '../workload/proof-world.ts';
import { WORKLOAD_KEYS } from '../workload/workload.ts';
import { describeContent } from './crash-history.ts';
import type { CrashSetting } from './crash-setting.ts';
import type { CrashTally } from './crash-tally.ts';

export interface FurtherUse {
  readonly disk: MemoryFileSystem;
  readonly world: ProofWorld;
  /** Gets closed. */
  readonly engine: Engine;
  readonly setting: CrashSetting;
  /** What the store holds. */
  readonly content: string;
  readonly random: SeededRandom;
  readonly tally: CrashTally;
}

const WRITES = 40;

/** @returns What is wrong; undefined when nothing is. */
export async function checkFurtherUse(use: FurtherUse): Promise<string | undefined> {
  const { disk, world, engine, setting, content, random, tally } = use;
  const { damage } = await engine.verify();
  tally.verified++;
  if (damage.length > 0) return `verify finds damage: ${damage.map(String).join('; ')}`;
  const misread = await readOtherwise(engine, content);
  if (misread !== undefined) return misread;

  await writeMore(engine, setting);
  const expected = describeContent(await contentOf(engine));
  if (!expected.startsWith('again')) return 'what is written afterwards cannot be read';
  const isClosed = random.chance(0.5);
  if (isClosed) await engine.close();
  else await engine.flush();
  const survivor = isClosed ? disk : crashClone(disk, { kind: 'nothing-unsynced' }, () => 0);
  const next = isClosed ? world : new ProofWorld(survivor, 'further-use');
  const reopened = await next.open(setting.engine);
  const found = describeContent(await contentOf(reopened));
  await reopened.close();
  if (!isClosed) await engine.close();
  next.die();
  tally.writtenAndReopened++;
  return found === expected ? undefined : 'it does not keep what is written afterwards';
}

/** Compares reads by key and a scan backwards, which go other ways through memtables, filters and range deletes, with the scan that was judged. */
async function readOtherwise(engine: Engine, content: string): Promise<string | undefined> {
  const gets = new Map<string, string>();
  const values = await engine.getMany(WORKLOAD_KEYS);
  for (const [i, key] of WORKLOAD_KEYS.entries()) {
    const [value, isThere] = [values[i], await engine.has(key)];
    if (isThere !== (value !== undefined)) return `has and getMany disagree about ${key}`;
    if (value !== undefined) gets.set(key, decodeUtf8(value));
  }
  if (describeContent(gets) !== content) return 'reads by key give something else than a scan';
  const backwards = describeContent(await contentOf(engine, { reverse: true }));
  return backwards === content ? undefined : 'a scan backwards gives something else than one forwards';
}

async function writeMore(engine: Engine, { engine: { log } }: CrashSetting): Promise<void> {
  const first = (engine.durableIndex ?? 0) + 1;
  for (let i = 0; i < WRITES; i++) {
    const options = log === 'external' ? { appliedIndex: first + i } : {};
    await engine.put(`again ${i % 10}`, `${i}`.repeat(50), options);
  }
}
