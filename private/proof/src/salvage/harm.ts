/** Random harm to a store, mostly to several related places: files exchanged, stale, foreign, missing or doubled, and wrong bytes. */

import type { SeededRandom } from '@kayadb/testkit';
import type { MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY } from '../workload/proof-world.ts';
import type { PastStore, StoreFiles } from './past-store.ts';

export interface Harm {
  /** What was done, in words. */
  readonly story: string;
  /** Whether the log may seem to end earlier than it did, without anything that says so. */
  readonly isSilent: boolean;
  /** Whether something that a crash had taken may be back. */
  readonly isStale?: boolean;
}

type Kind = 'exchange' | 'copy' | 'stale' | 'foreign' | 'missing' | 'lost-description' | 'cut' | 'zeros' | 'bytes';

const KINDS: readonly Kind[] = [
  'exchange',
  'copy',
  'stale',
  'foreign',
  'missing',
  'lost-description',
  'cut',
  'zeros',
  'bytes',
  'bytes',
];
const SECTOR_BYTES = 512;
const MAX_HARMS = 4;

/** Works on a list of files, which is written to disk at the end. */
export async function harmStore(
  disk: MemoryFileSystem,
  { earlier }: Pick<PastStore, 'earlier'>,
  stranger: StoreFiles,
  files: StoreFiles,
  random: SeededRandom,
): Promise<readonly Harm[]> {
  const left = new Map(files);
  const harms: Harm[] = [];
  const count = 1 + random.int(MAX_HARMS);
  for (let i = 0; i < count; i++) harms.push(harmOnce(left, earlier, stranger, random));
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

function harmOnce(
  files: Map<string, Uint8Array>,
  earlier: readonly StoreFiles[],
  stranger: StoreFiles,
  random: SeededRandom,
): Harm {
  const kind = random.pick(KINDS);
  const names = [...files.keys()];
  if (names.length === 0) return { story: 'nothing left', isSilent: true };
  // Each kind of file as often as any other, however many there are.
  const suffix = random.pick([...new Set(names.map(kindOf))]);
  const name = random.pick(names.filter((each) => kindOf(each) === suffix));
  const bytes = files.get(name)!;
  const isLog = suffix !== 'sst';
  switch (kind) {
    case 'exchange':
    case 'copy': {
      const other = random.pick(names.filter((each) => kindOf(each) === suffix));
      if (kind === 'exchange') files.set(other, bytes);
      const otherBytes = files.get(other)!;
      files.set(name, kind === 'exchange' ? otherBytes : otherBytes);
      return { story: `${name} ${kind} ${other}`, isSilent: false };
    }
    case 'stale': {
      const image = earlier.length === 0 ? new Map<string, Uint8Array>() : random.pick(earlier);
      const pick = random.chance(0.5) ? name : (random.pick([...image.keys(), name]) as string);
      const old = image.get(pick);
      if (old !== undefined) files.set(pick, old);
      return { story: `${pick} stale`, isSilent: kindOf(pick) !== 'sst', isStale: true };
    }
    case 'foreign': {
      const others = [...stranger.keys()].filter((each) => kindOf(each) === suffix);
      const other = stranger.has(name) && random.chance(0.5) ? name : others.length > 0 ? random.pick(others) : name;
      files.set(name, stranger.get(other) ?? bytes);
      return { story: `${name} is the other store's ${other}`, isSilent: false };
    }
    case 'missing':
      files.delete(name);
      return { story: `${name} missing`, isSilent: isLog };
    case 'lost-description': {
      const lost = names.filter((each) => kindOf(each) === 'CURRENT' || kindOf(each) === 'MANIFEST');
      for (const each of lost) files.delete(each);
      return { story: `${lost.join()} missing`, isSilent: true };
    }
    case 'cut': {
      const length = random.int(bytes.length + 1);
      files.set(name, bytes.slice(0, length));
      return { story: `${name} cut to ${length}`, isSilent: isLog };
    }
    case 'zeros':
    case 'bytes': {
      if (bytes.length === 0) return { story: `${name} is empty`, isSilent: false };
      const sector = SECTOR_BYTES * random.int(Math.ceil(bytes.length / SECTOR_BYTES));
      const at = kind === 'zeros' ? sector : random.int(random.chance(0.3) ? Math.min(64, bytes.length) : bytes.length);
      const length = kind === 'zeros' ? SECTOR_BYTES : random.pick([1, 4, 40]);
      const wrong = bytes.slice();
      for (let i = at; i < Math.min(at + length, wrong.length); i++) {
        wrong[i] = kind === 'zeros' ? 0 : wrong[i]! ^ (1 + random.int(255));
      }
      files.set(name, wrong);
      return { story: `${name} ${kind} ${length} at ${at}`, isSilent: isLog };
    }
    default:
      throw new Error(`no such harm: ${String(kind)}`);
  }
}

function kindOf(name: string): string {
  return name.startsWith('MANIFEST-')
    ? 'MANIFEST'
    : name.endsWith('.sst')
      ? 'sst'
      : name.endsWith('.wal')
        ? 'wal'
        : name;
}
