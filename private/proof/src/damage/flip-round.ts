/**
 * Many flipped bits at once, one in each table in force.
 *
 * Why that is as good as one at a time: `verify` reads each table by itself, past all caches, with a reader that it opens and closes for
 * it, and tells one damage for each table. So each flip has to be told of by itself, with its own file and a place at or before its own. What is
 * read by key beside it has to be right or to name one of the damaged tables.
 */

import { decodeUtf8 } from '@kayadb/codec';
import { CorruptionError, type Engine } from '@kayadb/engine';
import type { SeededRandom } from '@kayadb/testkit';
import { crashClone } from '@kayadb/vfs/testing';

import { DIRECTORY } from '../workload/proof-world.ts';
import type { DamagedStore } from './damaged-store.ts';
import { openDamaged } from './look-at-store.ts';

export interface FlippedByte {
  readonly file: string;
  readonly offset: number;
  /** Bits that are flipped, 1 to 255. */
  readonly mask: number;
}

export interface RoundOutcome {
  readonly faults: readonly string[];
  readonly wrongAnswers: number;
  readonly untypedErrors: number;
}

const KEYS_READ = 12;

export async function lookAtRound(
  store: DamagedStore,
  flips: readonly FlippedByte[],
  random: SeededRandom,
): Promise<RoundOutcome> {
  const disk = crashClone(store.disk, { kind: 'everything' }, () => 0);
  const places = new Map(flips.map(({ file, offset }) => [file, offset]));
  for (const { file, offset, mask } of flips) {
    const handle = disk.openSync(`${DIRECTORY}/${file}`, 'write');
    handle.writeSync(Uint8Array.of(store.files.get(file)![offset]! ^ mask), offset);
    void handle.close();
  }
  const engine = await openDamaged(disk, { ...store.options, level0Tables: 64, level1Bytes: 2 ** 30 });
  const { damage } = await engine.verify();
  const faults = judgeDamage(places, damage);
  const read = await readSome(engine, store, places, random);
  // No close: its process is killed.
  return { ...read, faults: [...faults, ...read.faults] };
}

function judgeDamage(places: ReadonlyMap<string, number>, damage: readonly CorruptionError[]): readonly string[] {
  const found = new Map(damage.map(({ file, offset }) => [file, offset]));
  const missed = [...places].filter(([file, offset]) => (found.get(file) ?? Infinity) > offset);
  const invented = [...found.keys()].filter((file) => !places.has(file));
  return [
    ...missed.map(([file, at]) => `verify did not find ${file} damaged at or before ${at}, but at ${found.get(file)}`),
    ...invented.map((file) => `verify found ${file} damaged, which is not`),
  ];
}

async function readSome(
  engine: Engine,
  { history, rows }: DamagedStore,
  places: ReadonlyMap<string, number>,
  random: SeededRandom,
): Promise<RoundOutcome> {
  const faults: string[] = [];
  let wrongAnswers = 0;
  let untypedErrors = 0;
  const { keys } = history;
  const first = random.int(keys.length);
  for (let i = 0; i < KEYS_READ; i++) {
    const key = keys[(first + i) % keys.length]!;
    try {
      const value = await engine.get(key);
      const right = rows.find((row) => row.startsWith(`${key}=`));
      if (right === (value === undefined ? undefined : `${key}=${decodeUtf8(value)}`)) continue;
      wrongAnswers++;
      faults.push(`get ${key} gave a wrong answer`);
    } catch (error) {
      if (error instanceof CorruptionError && error.offset <= (places.get(error.file) ?? -1)) continue;
      if (!(error instanceof CorruptionError)) untypedErrors++;
      faults.push(`get ${key} failed with ${String(error)}`);
    }
  }
  return { faults, wrongAnswers, untypedErrors };
}
