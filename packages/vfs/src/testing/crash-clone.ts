/**
 * The disk as power loss would leave it: copies of a MemoryFileSystem at one moment.
 *
 * Invariant: whatever a resolved `sync` or `syncDirectory` covered is in every copy, and every change of names is
 * there whole or not at all. Copies share pages with the original, so that tens of thousands can be opened.
 */

import { assertNever } from '@kayadb/codec';

import { MemoryFileSystem } from './memory-file-system.ts';
import { MemoryFile, type UnsyncedChange } from './memory-file.ts';
import { applyNames, MemoryFolder, type MemoryNode, type NameChange } from './memory-folder.ts';
import type { PagedBytes } from './paged-bytes.ts';

const SECTOR_BYTES = 512;

/**
 * What is lost.
 *
 * - `everything`: nothing is lost. The process died and the machine did not; what is unsynced stays at risk.
 * - `nothing-unsynced`: only what was synced is left, of contents and of names.
 * - `random-sectors`: each 512-byte sector of each unsynced write survives or not, each size change too; all names do.
 * - `torn-last-write`: all survives but the last unsynced write, of which the first `bytes` bytes do.
 * - `size-without-data`: sizes survive, unsynced bytes do not: new parts of files read as zeros.
 * - `names-lost`: each unsynced change of names survives or not, later ones without earlier ones; all contents do.
 * - `anything`: `random-sectors` and `names-lost` at once.
 */
export type CrashMode =
  | { readonly kind: 'everything' }
  | { readonly kind: 'nothing-unsynced' }
  | { readonly kind: 'random-sectors' }
  | { readonly kind: 'torn-last-write'; readonly bytes: number }
  | { readonly kind: 'size-without-data' }
  | { readonly kind: 'names-lost' }
  | { readonly kind: 'anything' };

export interface Crash {
  readonly mode: CrashMode;
  readonly disk: MemoryFileSystem;
}

/**
 * The disk that is found after a crash now. The original goes on undisturbed, and neither sees the other's changes.
 *
 * @param random - Uniform in [0, 1); the same numbers give the same disk.
 */
export function crashClone(fs: MemoryFileSystem, mode: CrashMode, random: () => number): MemoryFileSystem {
  const { root, sequence } = fs.content;
  const { capacityBytes } = fs;
  const clone = mode.kind === 'everything' ? new DiskFork().folder(root) : survivors(root, mode, random).folder(root);
  return new MemoryFileSystem(capacityBytes === undefined ? {} : { capacityBytes }, { root: clone, sequence });
}

/** One disk for each way to crash now: each mode once, and the last write torn in its sectors and in its bytes. */
export function crashClones(fs: MemoryFileSystem, random: () => number): readonly Crash[] {
  const lastBytes = lastUnsyncedWrite(fs.content.root)?.data.length ?? 0;
  const tornBytes = Math.floor(random() * lastBytes);
  const modes: readonly CrashMode[] = [
    { kind: 'everything' },
    { kind: 'nothing-unsynced' },
    { kind: 'random-sectors' },
    { kind: 'torn-last-write', bytes: tornBytes },
    { kind: 'torn-last-write', bytes: tornBytes - (tornBytes % SECTOR_BYTES) },
    { kind: 'size-without-data' },
    { kind: 'names-lost' },
    { kind: 'anything' },
  ];
  return modes.map((mode) => ({ mode, disk: crashClone(fs, mode, random) }));
}

type Write = Extract<UnsyncedChange, { readonly kind: 'write' }>;
type ApplyChange = (image: PagedBytes, change: UnsyncedChange) => void;

/** Copies a tree so that every file and folder is copied once, however many names it has. */
abstract class TreeCopy {
  readonly #copies = new Map<MemoryNode, MemoryNode>();

  folder(folder: MemoryFolder): MemoryFolder {
    const known = this.#copies.get(folder);
    if (known instanceof MemoryFolder) return known;
    const copy = new MemoryFolder();
    copy.modifiedMs = folder.modifiedMs;
    this.#copies.set(folder, copy);
    this.fillFolder(folder, copy);
    return copy;
  }

  protected node(node: MemoryNode): MemoryNode {
    if (node.kind === 'directory') return this.folder(node);
    const copy = this.#copies.get(node) ?? this.copyFile(node);
    this.#copies.set(node, copy);
    return copy;
  }

  protected abstract copyFile(file: MemoryFile): MemoryFile;
  protected abstract fillFolder(from: MemoryFolder, to: MemoryFolder): void;
}

/** Keeps the difference between synced and current. */
class DiskFork extends TreeCopy {
  readonly #changes = new Map<NameChange, NameChange>();
  /** Copies whose required change was not copied yet, by that change. */
  readonly #waiting = new Map<NameChange, NameChange>();

  protected override copyFile(file: MemoryFile): MemoryFile {
    return file.fork();
  }

  protected override fillFolder(from: MemoryFolder, to: MemoryFolder): void {
    to.adoptSynced([...from.synced].map(([name, node]) => [name, this.node(node)]));
    applyNames(
      to.entries,
      [...from.entries].map(([name, node]) => [name, this.node(node)]),
    );
    for (const change of from.pending) this.#change(change, to);
  }

  #change(change: NameChange, folder: MemoryFolder): void {
    const names = change.names.map(([name, node]) => [name, node && this.node(node)] as const);
    const copy = folder.adoptPending(names, undefined);
    this.#changes.set(change, copy);
    const { requires } = change;
    if (requires !== undefined && !requires.persisted) {
      copy.requires = this.#changes.get(requires);
      if (copy.requires === undefined) this.#waiting.set(requires, copy);
    }
    const waiting = this.#waiting.get(change);
    if (waiting !== undefined) waiting.requires = copy;
  }
}

/** Keeps what survives, as a disk on which everything is synced. */
class DiskSurvivors extends TreeCopy {
  readonly #apply: ApplyChange;
  readonly #survives: (change: NameChange) => boolean;

  constructor(apply: ApplyChange, survives: (change: NameChange) => boolean) {
    super();
    this.#apply = apply;
    this.#survives = survives;
  }

  protected override copyFile(file: MemoryFile): MemoryFile {
    const image = file.syncedImage();
    for (const change of file.unsynced) this.#apply(image, change);
    return MemoryFile.onDisk(image, file.modifiedMs);
  }

  protected override fillFolder(from: MemoryFolder, to: MemoryFolder): void {
    const names = new Map(from.synced);
    for (const change of from.pending) if (this.#survives(change)) applyNames(names, change.names);
    for (const [name, node] of names) to.entries.set(name, this.node(node));
    to.adoptSynced(to.entries);
  }
}

function survivors(
  root: MemoryFolder,
  mode: Exclude<CrashMode, { kind: 'everything' }>,
  random: () => number,
): DiskSurvivors {
  switch (mode.kind) {
    case 'nothing-unsynced':
      return new DiskSurvivors(
        () => {},
        () => false,
      );
    case 'random-sectors':
      return new DiskSurvivors(sectorsThat(coin(random)), () => true);
    case 'torn-last-write':
      return new DiskSurvivors(tearing(lastUnsyncedWrite(root), mode.bytes), () => true);
    case 'size-without-data':
      return new DiskSurvivors(applySize, () => true);
    case 'names-lost':
      return new DiskSurvivors(applyWhole, namesThat(coin(random)));
    case 'anything':
      return new DiskSurvivors(sectorsThat(coin(random)), namesThat(coin(random)));
    default:
      return assertNever(mode, 'crash mode');
  }
}

/** A coin that is fair or bent either way: with a fair one alone, losing just one of many never happens. */
function coin(random: () => number): () => boolean {
  const probability = [0.1, 0.5, 0.9][Math.floor(random() * 3)] ?? 0.5;
  return () => random() < probability;
}

function applyWhole(image: PagedBytes, change: UnsyncedChange): void {
  if (change.kind === 'write') image.write(change.data, change.position);
  else image.resize(change.bytes);
}

function applySize(image: PagedBytes, change: UnsyncedChange): void {
  if (change.kind === 'resize') image.resize(change.bytes);
  else image.resize(Math.max(image.bytes, change.position + change.data.length));
}

function tearing(torn: Write | undefined, bytes: number): ApplyChange {
  return (image, change) => {
    if (change === torn) image.write(torn.data.subarray(0, bytes), torn.position);
    else applyWhole(image, change);
  };
}

function sectorsThat(survives: () => boolean): ApplyChange {
  return (image, change) => {
    if (change.kind === 'resize') {
      if (survives()) image.resize(change.bytes);
      return;
    }
    const { position, data } = change;
    const end = position + data.length;
    for (let at = position; at < end;) {
      const next = Math.min(end, at - (at % SECTOR_BYTES) + SECTOR_BYTES);
      if (survives()) image.write(data.subarray(at - position, next - position), at);
      at = next;
    }
    if (end > image.bytes && survives()) image.resize(end);
  };
}

function namesThat(survives: () => boolean): (change: NameChange) => boolean {
  const tossed = new Map<NameChange, boolean>();
  const toss = (change: NameChange): boolean => {
    const result = tossed.get(change) ?? survives();
    tossed.set(change, result);
    return result;
  };
  return (change) => {
    const { requires } = change;
    return toss(change) && (requires === undefined || requires.persisted || toss(requires));
  };
}

function lastUnsyncedWrite(folder: MemoryFolder): Write | undefined {
  let last: Write | undefined;
  for (const node of folder.entries.values()) {
    const candidates = node.kind === 'directory' ? [lastUnsyncedWrite(node)] : node.unsynced;
    for (const change of candidates) {
      if (change?.kind === 'write' && change.sequence > (last?.sequence ?? 0)) last = change;
    }
  }
  return last;
}
