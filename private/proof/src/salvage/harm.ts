/** Random harm to a store, mostly to several related places: files exchanged, stale, foreign, missing or doubled, and wrong bytes. */

import type { SeededRandom } from '@kayadb/testkit';
import type { MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY } from '../workload/proof-world.ts';
import type { StoreFiles } from './past-store.ts';

export interface Harm {
  /** What was done, in words. */
  readonly story: string;
  /** Whether the log may seem to end earlier than it did, without anything that says so. */
  readonly isSilent: boolean;
  /** Whether something that a crash had taken may be back. */
  readonly isStale: boolean;
  /** Whether a file is now another store's. */
  readonly isForeign?: boolean;
}

/** What harm is made of, besides the store itself. */
export interface HarmSources {
  /** The directory at earlier moments. */
  readonly earlier: readonly StoreFiles[];
  /** Another store, whose files have the same names. */
  readonly stranger: StoreFiles;
}

interface Target extends HarmSources {
  readonly files: Map<string, Uint8Array>;
  /** The file that is chosen, and what it holds. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly random: SeededRandom;
}

/** @returns The story, or a harm that is not judged by the kind of the file alone. */
type Harmer = (target: Target) => string | Harm;

const SECTOR_BYTES = 512;
const HEADER_BYTES = 64;
/** Bound: harms to one store. */
const MAX_HARMS = 4;

const harmers: readonly (readonly [share: number, harmer: Harmer])[] = [
  [2, exchange],
  [1, copy],
  [2, makeStale],
  [2, makeForeign],
  [2, remove],
  [1, removeDescription],
  [2, cut],
  [2, zeroSector],
  [4, spoilBytes],
];

/** Harms the store on `disk`, which holds `files`. */
export async function harmStore(
  disk: MemoryFileSystem,
  files: StoreFiles,
  sources: HarmSources,
  random: SeededRandom,
): Promise<readonly Harm[]> {
  const left = new Map(files);
  const count = 1 + random.int(MAX_HARMS);
  const harms = Array.from({ length: count }, () => harmOnce(left, sources, random));
  for (const name of files.keys()) if (!left.has(name)) await disk.unlink(`${DIRECTORY}/${name}`);
  for (const [name, bytes] of left) {
    if (files.get(name) === bytes) continue;
    const handle = await disk.open(`${DIRECTORY}/${name}`, files.has(name) ? 'write' : 'create');
    await handle.truncate(0);
    await handle.write(bytes, 0);
    await handle.close();
  }
  return harms;
}

function harmOnce(files: Map<string, Uint8Array>, sources: HarmSources, random: SeededRandom): Harm {
  const names = [...files.keys()];
  if (names.length === 0) return { story: 'nothing is left', isSilent: true, isStale: false };
  // Each kind of file as often as any other, however many there are.
  const kind = random.pick([...new Set(names.map(kindOf))]);
  const name = random.pick(names.filter((each) => kindOf(each) === kind));
  const harmer = random.pick(harmers.flatMap(([share, each]) => Array.from({ length: share }, () => each)));
  const harm = harmer({ ...sources, files, name, bytes: files.get(name)!, random });
  return typeof harm === 'string' ? { story: harm, isSilent: kind !== 'sst', isStale: false } : harm;
}

/** Nothing of it is lost without a file being in the wrong place, and that shows. */
function exchange({ files, name, bytes, random }: Target): Harm {
  const other = pickOfKind(files, name, random);
  files.set(name, files.get(other)!);
  files.set(other, bytes);
  return { story: `${name} exchanged with ${other}`, isSilent: false, isStale: false };
}

function copy({ files, name, random }: Target): Harm {
  const other = pickOfKind(files, name, random);
  files.set(name, files.get(other)!);
  return { story: `${name} is a copy of ${other}`, isSilent: false, isStale: false };
}

/** One that was there earlier may come back too. */
function makeStale({ files, name, earlier, random }: Target): Harm {
  const image = earlier.length === 0 ? files : random.pick(earlier);
  const which = random.chance(0.5) ? name : random.pick([...image.keys()]);
  const old = image.get(which);
  if (old !== undefined) files.set(which, old);
  return { story: `${which} stale`, isSilent: kindOf(which) !== 'sst', isStale: true };
}

function makeForeign({ files, name, stranger, random }: Target): Harm {
  const ofKind = [...stranger.keys()].filter((each) => kindOf(each) === kindOf(name));
  const other = stranger.has(name) && random.chance(0.5) ? name : ofKind.length > 0 ? random.pick(ofKind) : undefined;
  if (other !== undefined) files.set(name, stranger.get(other)!);
  return { story: `${name} is another store's ${other}`, isSilent: false, isStale: false, isForeign: true };
}

function remove({ files, name }: Target): string {
  files.delete(name);
  return `${name} missing`;
}

function removeDescription({ files }: Target): Harm {
  const lost = [...files.keys()].filter((name) => ['CURRENT', 'MANIFEST'].includes(kindOf(name)));
  for (const name of lost) files.delete(name);
  return { story: `${lost.join(', ')} missing`, isSilent: true, isStale: false };
}

function cut({ files, name, bytes, random }: Target): string {
  const length = random.int(bytes.length + 1);
  files.set(name, bytes.slice(0, length));
  return `${name} cut to ${length}`;
}

function zeroSector({ files, name, bytes, random }: Target): string {
  const at = SECTOR_BYTES * random.int(Math.max(1, Math.ceil(bytes.length / SECTOR_BYTES)));
  files.set(name, bytes.slice().fill(0, at, at + SECTOR_BYTES));
  return `${name} has zeros at ${at}`;
}

function spoilBytes({ files, name, bytes, random }: Target): string {
  if (bytes.length === 0) return `${name} is empty`;
  const at = random.int(random.chance(0.3) ? Math.min(HEADER_BYTES, bytes.length) : bytes.length);
  const end = at + random.pick([1, 4, 40]);
  const wrong = bytes.map((byte, i) => (i >= at && i < end ? byte ^ (1 + random.int(255)) : byte));
  files.set(name, wrong);
  return `${name} is wrong from ${at} to ${end}`;
}

function pickOfKind(files: StoreFiles, name: string, random: SeededRandom): string {
  return random.pick([...files.keys()].filter((each) => kindOf(each) === kindOf(name)));
}

function kindOf(name: string): string {
  if (name.startsWith('MANIFEST-')) return 'MANIFEST';
  return name.slice(name.lastIndexOf('.') + 1);
}
