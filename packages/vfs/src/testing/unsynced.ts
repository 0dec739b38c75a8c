/** What a crash may take from a simulated disk now: unsynced changes of contents and of names, in an order that replays. */

import type { MemoryFile, UnsyncedChange } from './memory-file.ts';
import type { MemoryFolder, MemoryNode, NameChange } from './memory-folder.ts';

/** One write that is not synced. */
export type UnsyncedWrite = Extract<UnsyncedChange, { readonly kind: 'write' }>;

export interface Unsynced {
  /** Files with unsynced contents. */
  readonly files: readonly MemoryFile[];
  readonly nameChanges: readonly NameChange[];
  readonly lastWrite: UnsyncedWrite | undefined;
  /** Whether a failed sync has left something in memory that a crash takes, however often it is synced. */
  readonly isLossy: boolean;
}

/** Looks at everything below `root` that has a name or, after a crash, may have one. */
export function findUnsynced(root: MemoryFolder): Unsynced {
  const files: MemoryFile[] = [];
  const nameChanges: NameChange[] = [];
  const seen = new Set<MemoryNode>();
  let isLossy = false;
  const visit = (node: MemoryNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'file') {
      if (node.unsynced.length > 0) files.push(node);
      isLossy ||= node.isLossy;
      return;
    }
    nameChanges.push(...node.pending);
    for (const child of node.entries.values()) visit(child);
    for (const child of node.synced.values()) visit(child);
  };
  visit(root);
  return { files, nameChanges, lastWrite: lastUnsyncedWrite(root), isLossy };
}

/** The newest unsynced write to a file that has a name. */
export function lastUnsyncedWrite(folder: MemoryFolder): UnsyncedWrite | undefined {
  let last: UnsyncedWrite | undefined;
  for (const node of folder.entries.values()) {
    const candidates = node.kind === 'directory' ? [lastUnsyncedWrite(node)] : node.unsynced;
    for (const change of candidates) {
      if (change?.kind === 'write' && change.sequence > (last?.sequence ?? 0)) last = change;
    }
  }
  return last;
}
