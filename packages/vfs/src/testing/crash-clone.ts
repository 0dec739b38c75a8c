/**
 * The disk as power loss would leave it: copies of a MemoryFileSystem at one moment.
 *
 * Invariant: whatever a resolved `sync` or `syncDirectory` covered is in every copy, and every change of names is
 * there whole or not at all, but for old names in `old-names-kept`. Copies share pages with the original, so that hundreds of
 * thousands can be opened.
 */

import { assertNever } from '@kayadb/codec';

import { type CrashMode, SECTOR_BYTES } from './crash-mode.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import type { UnsyncedChange } from './memory-file.ts';
import type { MemoryFolder, NameChange } from './memory-folder.ts';
import type { PagedBytes } from './paged-bytes.ts';
import { type ApplyChange, DiskFork, DiskSurvivors, type SurvivingNames } from './tree-copy.ts';
import { findUnsynced, lastUnsyncedWrite, type UnsyncedWrite } from './unsynced.ts';

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

/** One disk for each common way to crash now; `crashModes` lists all ways. The last write is torn in its sectors and in its bytes. */
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

function survivors(
  root: MemoryFolder,
  mode: Exclude<CrashMode, { kind: 'everything' }>,
  random: () => number,
): DiskSurvivors {
  switch (mode.kind) {
    case 'nothing-unsynced':
      return new DiskSurvivors(applyNothing, noNames);
    case 'random-sectors':
      return new DiskSurvivors(sectorsThat(coin(random)), allNames);
    case 'torn-last-write':
      return new DiskSurvivors(tearing(lastUnsyncedWrite(root), mode.bytes), allNames);
    case 'last-write-only':
      return new DiskSurvivors(applyOnly(lastUnsyncedWrite(root)), allNames);
    case 'size-without-data':
      return new DiskSurvivors(applySize, allNames);
    case 'one-file-lost': {
      const lost = findUnsynced(root).files[mode.index];
      return new DiskSurvivors((image, change, file) => {
        if (file !== lost) applyWhole(image, change);
      }, allNames);
    }
    case 'names-without-contents':
      return new DiskSurvivors(applyNothing, allNames);
    case 'contents-without-names':
      return new DiskSurvivors(applyWhole, noNames);
    case 'names-lost':
      return new DiskSurvivors(applyWhole, namesThat(tossed(coin(random))));
    case 'one-name-lost': {
      const lost = findUnsynced(root).nameChanges[mode.index];
      return new DiskSurvivors(
        applyWhole,
        namesThat((change) => change !== lost),
      );
    }
    case 'one-name-kept': {
      const kept = findUnsynced(root).nameChanges[mode.index];
      return new DiskSurvivors(
        applyWhole,
        namesThat((change) => change === kept || change === kept?.requires),
      );
    }
    case 'old-names-kept':
      return new DiskSurvivors(applyWhole, withOldNames);
    case 'anything':
      return new DiskSurvivors(sectorsThat(coin(random)), namesThat(tossed(coin(random))));
    default:
      return assertNever(mode, 'crash mode');
  }
}

/** A coin that is fair or bent either way: with a fair one alone, losing just one of many never happens. */
function coin(random: () => number): () => boolean {
  const probability = [0.1, 0.5, 0.9][Math.floor(random() * 3)] ?? 0.5;
  return () => random() < probability;
}

function applyNothing(): void {
  // Synced contents are there already.
}

function applyWhole(image: PagedBytes, change: UnsyncedChange): void {
  if (change.kind === 'write') image.write(change.data, change.position);
  else image.resize(change.bytes);
}

function applyOnly(kept: UnsyncedWrite | undefined): ApplyChange {
  return (image, change) => {
    if (change === kept) applyWhole(image, change);
  };
}

function applySize(image: PagedBytes, change: UnsyncedChange): void {
  if (change.kind === 'resize') image.resize(change.bytes);
  else image.resize(Math.max(image.bytes, change.position + change.data.length));
}

function tearing(torn: UnsyncedWrite | undefined, bytes: number): ApplyChange {
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

function noNames(): NameChange['names'] {
  return [];
}

function allNames(change: NameChange): NameChange['names'] {
  return change.names;
}

/** A rename within a folder adds a name and removes one; here the removal is lost. A folder never has two names. */
function withOldNames({ names }: NameChange): NameChange['names'] {
  const isRenamedFile = names.length > 1 && names.every(([, node]) => node?.kind !== 'directory');
  return isRenamedFile ? names.filter(([, node]) => node !== undefined) : names;
}

/** A change survives if what it requires does. */
function namesThat(survives: (change: NameChange) => boolean): SurvivingNames {
  return (change) => {
    const { requires } = change;
    return survives(change) && (requires === undefined || requires.persisted || survives(requires)) ? change.names : [];
  };
}

/** One toss for each change, whoever asks. */
function tossed(survives: () => boolean): (change: NameChange) => boolean {
  const results = new Map<NameChange, boolean>();
  return (change) => {
    const result = results.get(change) ?? survives();
    results.set(change, result);
    return result;
  };
}
