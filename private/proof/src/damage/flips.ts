/**
 * Every byte, or every bit, of a store, flipped.
 *
 * Of CURRENT, manifest and log, which are read in opening, each flip is opened and, if that succeeds, scanned and verified by itself. Tables are
 * flipped in rounds, one place in each at once (flip-round.ts says why that is as good), and a sample of the flips by themselves too.
 */

import type { SeededRandom } from '@kayadb/testkit';

import { flip } from './bit-rot.ts';
import type { DamageRun } from './damage-run.ts';
import type { DamagedStore } from './damaged-store.ts';

/** The masks that a byte is tried with; none: it is left out. */
export type PickMasks = (random: SeededRandom) => readonly number[];

export const allBits: PickMasks = () => [1, 2, 4, 8, 16, 32, 64, 128];
/** Now one bit, now all of them. */
export const oneBitOrAll: PickMasks = (random) => [random.chance(0.3) ? 0xff : 1 << random.int(8)];
/** The same, of every other byte. */
export const halfOfThem: PickMasks = (random) => (random.chance(0.5) ? oneBitOrAll(random) : []);

/** Of the zeros ahead of a log's end, one in this many is flipped. */
const ZEROS_STEP = 64;

/** Everything but the tables in force: one look for each flip. */
export async function flipDescription(run: DamageRun, store: DamagedStore, pickMasks: PickMasks): Promise<void> {
  for (const [file, { length }] of store.files) {
    if (store.tables.includes(file)) continue;
    const end = store.contentEnds.get(file)!;
    for (let at = 0; at < length; at += at < end ? 1 : ZEROS_STEP) {
      const masks = pickMasks(run.random);
      for (const mask of masks) await run.check(store, flip(store, file, at, mask), 'flips');
      if (at < end && masks.length > 0) run.add('bytes flipped', 1);
    }
  }
}

/** Every byte of the tables in force, in rounds. @param alone - Share of the flips that are looked at by themselves too. */
export async function flipTables(
  run: DamageRun,
  store: DamagedStore,
  { pickMasks, alone }: { readonly pickMasks: PickMasks; readonly alone: number },
): Promise<void> {
  const sizes = new Map(store.tables.map((file) => [file, store.files.get(file)!.length]));
  const longest = Math.max(...sizes.values());
  for (let at = 0; at < longest; at++) {
    const flipped = store.tables.filter((file) => at < sizes.get(file)!);
    const masks = pickMasks(run.random);
    for (const mask of masks) {
      await run.checkRound(
        store,
        flipped.map((file) => ({ file, offset: at, mask })),
        'flips',
      );
      for (const file of flipped) {
        if (run.random.chance(alone)) await run.check(store, flip(store, file, at, mask), 'flips looked at alone');
      }
    }
    if (masks.length > 0) run.add('bytes flipped', flipped.length);
  }
}
