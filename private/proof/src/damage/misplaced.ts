/** Sound bytes in the wrong place: pieces swapped, older or another database's in their stead, files exchanged, gone or doubled. */

import type { SeededRandom } from '@kayadb/testkit';

import { SECTOR_BYTES } from './bit-rot.ts';
import { changeOf, type Damage, type DamageKind, type FileChange } from './damage.ts';
import type { DamagedStore } from './damaged-store.ts';

/** A stretch of a file: a block, a record, a sector or a page. */
interface Piece {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Each file, at each length below its own that `isTaken` wants. */
export function* cuts({ files }: DamagedStore, isTaken: (file: string, length: number) => boolean): Generator<Damage> {
  for (const [file, before] of files) {
    for (let length = 0; length < before.length; length++) {
      if (!isTaken(file, length)) continue;
      const change: FileChange = { file, bytes: before.subarray(0, length), from: length, to: before.length };
      yield { kind: 'cut', nature: 'replaced', story: `${file} cut to ${length}`, changes: [change] };
    }
  }
}

/** Two pieces that stand in each other's place, in one file or in two. First neighbours of one kind, then any two. */
export function* swaps(store: DamagedStore, random: SeededRandom, count: number): Generator<Damage> {
  const kinds = [store.blocks, piecesOfLogs(store), sectors(store)];
  for (const pieces of kinds) {
    if (pieces.length < 2) continue;
    for (const [i, piece] of pieces.slice(1).entries()) {
      if (i < count) yield* swap(store, pieces[i]!, piece);
    }
    for (let i = 0; i < count; i++) yield* swap(store, random.pick(pieces), random.pick(pieces));
  }
}

/** What stood in a place earlier: whole files, and their sectors and pages; CURRENT together with its manifest. */
export function* stale(store: DamagedStore, random: SeededRandom, sectorsEach: number): Generator<Damage> {
  const { files, earlier } = store;
  for (const [age, image] of earlier.entries()) {
    for (const [file, before] of files) {
      const old = image.get(file);
      if (old !== undefined) {
        yield* replaced('stale', `${file} as it was at moment ${age}`, store, [[file, old]]);
        yield* eachSector('stale', `${file} as at moment ${age}`, file, before, old);
      }
    }
    // A disk puts a new file where a removed one was: its sectors come back.
    for (let i = 0; i < sectorsEach; i++) {
      const [file, before] = random.pick([...files]);
      const [from, old] = random.pick([...image]);
      const start = SECTOR_BYTES * random.int(Math.ceil(before.length / SECTOR_BYTES));
      yield* patched('stale', `${file}: sector at ${start} of ${from} at moment ${age}`, file, before, old, start);
    }
    const manifest = [...image.keys()].find((name) => name.startsWith('MANIFEST-'))!;
    const description = ['CURRENT', manifest].map((name) => [name, image.get(name)!] as const);
    yield* replaced('stale', `CURRENT and ${manifest} as they were at moment ${age}`, store, description);
  }
}

/** Files of another database, of the same kind, under the names of this one's; and their sectors. */
export function* foreign(store: DamagedStore, other: DamagedStore): Generator<Damage> {
  const described: (readonly [string, Uint8Array])[] = [];
  for (const [file, before] of store.files) {
    const suffix = kindOf(file);
    const strangers = [...other.files].filter(([name]) => kindOf(name) === suffix);
    const namesake = other.files.get(file);
    if (namesake !== undefined) strangers.unshift([file, namesake]);
    for (const [name, bytes] of strangers.slice(0, 4)) {
      yield* replaced('foreign', `${file} is ${name} of another database`, store, [[file, bytes]]);
      yield* eachSector('foreign', `${file} has ${name}'s of another database`, file, before, bytes);
    }
    if (suffix === 'CURRENT' || suffix === 'MANIFEST') described.push([file, strangers[0]![1]]);
  }
  yield* replaced('foreign', 'CURRENT and manifest of another database', store, described);
}

/** Two files' contents exchanged: each pair of one kind, and some of different kinds. */
export function* exchanged(store: DamagedStore): Generator<Damage> {
  const files = [...store.files];
  for (const [i, [a, bytesOfA]] of files.entries()) {
    for (const [b, bytesOfB] of files.slice(i + 1)) {
      yield* replaced('exchange', `${a} and ${b} exchanged`, store, [
        [a, bytesOfB],
        [b, bytesOfA],
      ]);
    }
  }
}

export function* missing({ files }: DamagedStore): Generator<Damage> {
  for (const [file, before] of files) {
    const change: FileChange = { file, bytes: undefined, from: 0, to: before.length };
    yield { kind: 'missing', nature: 'replaced', story: `${file} is missing`, changes: [change] };
  }
}

/** A second copy under another number, smaller and greater than all, and under another kind's name. */
export function* doubled({ files }: DamagedStore): Generator<Damage> {
  for (const [file, bytes] of files) {
    for (const name of ['000001.sst', '000001.wal', 'MANIFEST-000001', '000999.sst', '000999.wal', 'MANIFEST-000999']) {
      if (files.has(name)) continue;
      const change: FileChange = { file: name, bytes, from: 0, to: bytes.length };
      yield { kind: 'double', nature: 'replaced', story: `${file} once more as ${name}`, changes: [change] };
    }
  }
}

function* replaced(
  kind: DamageKind,
  story: string,
  { files }: DamagedStore,
  contents: readonly (readonly [file: string, bytes: Uint8Array])[],
): Generator<Damage> {
  const changes = contents.flatMap(([file, bytes]) => changeOf(file, files.get(file) ?? new Uint8Array(), bytes) ?? []);
  if (changes.length > 0) yield { kind, nature: 'replaced', story, changes };
}

/** Each sector by itself as it is in `old`. */
function* eachSector(
  kind: DamageKind,
  story: string,
  file: string,
  before: Uint8Array,
  old: Uint8Array,
): Generator<Damage> {
  for (let start = 0; start < before.length; start += SECTOR_BYTES) {
    yield* patched(kind, `${story}: sector at ${start}`, file, before, old, start);
  }
}

/** One sector of `before` as it is in `old`; zeros behind the end of `old`. */
function* patched(
  kind: DamageKind,
  story: string,
  file: string,
  before: Uint8Array,
  old: Uint8Array,
  start: number,
): Generator<Damage> {
  const end = Math.min(before.length, start + SECTOR_BYTES);
  const sector = new Uint8Array(end - start);
  sector.set(old.subarray(start, Math.min(end, old.length)));
  const after = before.slice();
  after.set(sector, start);
  const change = changeOf(file, before, after);
  // A file of one sector is replaced whole.
  const nature = before.length <= SECTOR_BYTES ? 'replaced' : 'rot';
  if (change !== undefined) yield { kind, nature, story, changes: [change] };
}

function* swap({ files }: DamagedStore, a: Piece, b: Piece): Generator<Damage> {
  const [first, second] = a.offset <= b.offset ? [a, b] : [b, a];
  const length = Math.min(first.bytes, second.bytes);
  if (first.file === second.file && first.offset + length > second.offset) return;
  const contents = new Map([first, second].map(({ file }) => [file, files.get(file)!.slice()]));
  for (const [to, from] of [
    [first, second],
    [second, first],
  ] as const) {
    contents.get(to.file)!.set(files.get(from.file)!.subarray(from.offset, from.offset + length), to.offset);
  }
  const changes = [...contents].flatMap(([file, bytes]) => changeOf(file, files.get(file)!, bytes) ?? []);
  const where = `${a.file}@${a.offset} and ${b.file}@${b.offset}, ${length} bytes, swapped`;
  if (changes.length > 0) yield { kind: 'swap', nature: 'rot', story: where, changes };
}

function piecesOfLogs({ layout }: DamagedStore): readonly Piece[] {
  return [...layout.edits, ...layout.records].map(({ file, offset, end }) => ({ file, offset, bytes: end - offset }));
}

function sectors({ files }: DamagedStore): readonly Piece[] {
  return [...files].flatMap(([file, { length }]) =>
    Array.from({ length: Math.ceil(length / SECTOR_BYTES) }, (_, i) => ({
      file,
      offset: i * SECTOR_BYTES,
      bytes: Math.min(SECTOR_BYTES, length - i * SECTOR_BYTES),
    })),
  );
}

function kindOf(file: string): string {
  return file.replace(/[\d.-]/g, '');
}
