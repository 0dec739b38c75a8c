/** Bytes inside one file that come back wrong: flipped, zeroed, moved about. */

import { type SeededRandom } from '@kayadb/testkit';

import { changeOf, type Damage, type DamageKind, type FileChange } from './damage.ts';
import type { DamagedStore } from './damaged-store.ts';

const PAGE_BYTES = 4096;
export const SECTOR_BYTES = 512;

export function flip({ files }: DamagedStore, file: string, offset: number, mask: number): Damage {
  const bytes = files.get(file)!.slice();
  bytes[offset]! ^= mask;
  const change: FileChange = { file, bytes, from: offset, to: offset + 1 };
  return { kind: 'flip', nature: 'rot', story: `${file} at ${offset} xor ${mask}`, changes: [change] };
}

/** Each 4 KiB page of each file, and each sector, full of zeros. */
export function* zeroedPages({ files }: DamagedStore): Generator<Damage> {
  for (const [file, before] of files) {
    for (const unit of [PAGE_BYTES, SECTOR_BYTES]) {
      for (let at = 0; at < before.length; at += unit) {
        const after = before.slice().fill(0, at, at + unit);
        yield* rot('page', `${file}: ${unit} zeros at ${at}`, file, before, after);
      }
    }
  }
}

/** Bytes put in or taken out, with everything behind them moved. */
export function* shifted({ files }: DamagedStore, random: SeededRandom, perFile: number): Generator<Damage> {
  for (const [file, before] of files) {
    for (let i = 0; i < perFile; i++) {
      const at = random.int(before.length);
      const count = random.pick([1, 1, 2, 7, 8, 64, 512]);
      const head = before.subarray(0, at);
      const isPutIn = random.chance(0.5);
      const between = isPutIn ? random.bytes(count) : new Uint8Array();
      const tail = before.subarray(isPutIn ? at : at + count);
      const what = isPutIn ? 'put in' : 'taken out';
      yield* rot(
        'shifted',
        `${file}: ${count} bytes ${what} at ${at}`,
        file,
        before,
        Buffer.concat([head, between, tail]),
      );
    }
  }
}

/** Longer than it was, by garbage or zeros. */
export function* extended({ files }: DamagedStore, random: SeededRandom): Generator<Damage> {
  for (const [file, before] of files) {
    const tails = [random.bytes(1), random.bytes(50), random.bytes(700), new Uint8Array(1), new Uint8Array(5000)];
    for (const tail of [...tails, before.subarray(-96), before.slice(0, 640)]) {
      yield* rot('extended', `${file}: ${tail.length} bytes more`, file, before, Buffer.concat([before, tail]));
    }
  }
}

/** @returns Nothing when the bytes are what they were. */
export function* rot(
  kind: DamageKind,
  story: string,
  file: string,
  before: Uint8Array,
  after: Uint8Array,
): Generator<Damage> {
  const change = changeOf(file, before, after);
  if (change !== undefined) yield { kind, nature: 'rot', story, changes: [change] };
}
