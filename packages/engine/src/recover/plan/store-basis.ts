/**
 * Which description of the store a plan goes by.
 *
 * Invariant: the state of a basis is one that the store was in: tables never change once an edit names them, and the edits before a
 * damaged one are whole. What came after it may be missing, and then the basis says so.
 */

import { equalBytes } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';

import { CURRENT_FILE, manifestFileName, parseFileName, tableFileName, walFileName } from '../../files/file-names.ts';
import type { FileNumber } from '../../key/internal-key.ts';
import type { StoreState } from '../../version/store-state.ts';
import { NO_SEGMENT } from '../../wal/wal-replay.ts';
import type { EvidenceView } from '../evidence-view.ts';
import { MAGIC_OF, type NumberedKind, readHeaderEvidence } from '../file-header-evidence.ts';
import type { StoreLook } from '../store-look.ts';
import type { DamagedPlace } from './damaged-place.ts';
import { ALL_KEYS } from './damaged-place.ts';
import { type ManifestEvidence, readManifestEvidence } from './manifest-evidence.ts';
import type { RecoveryPlan } from './recovery-plan.ts';

export interface StoreBasis {
  readonly kind: RecoveryPlan['basis'];
  /** `undefined` when no file says it. */
  readonly storeId: Uint8Array | undefined;
  readonly manifest: string | null;
  /** `undefined` with kind `tables`. */
  readonly state: StoreState | undefined;
  /** Nothing that was in effect is missing from `state`, as far as can be known. */
  readonly isWhole: boolean;
  /** Edits that are lost. */
  readonly damage: DamagedPlace | undefined;
}

/** @throws FileSystemError when reading fails in a way that is no damage. */
export async function findBasis(view: EvidenceView, directory: string, look: StoreLook): Promise<StoreBasis> {
  const storeId = await findStoreId(view, directory, look);
  const names = new Set(view.entries.map(({ name }) => name));
  const isOwn = look.current !== undefined && storeId !== undefined && equalBytes(look.current.storeId, storeId);
  const inForce = isOwn ? look.current.manifestNumber : undefined;
  const manifests: ManifestEvidence[] = [];
  for (const fileNumber of numbersOf(view, 'manifest').toReversed()) {
    const evidence = await readIfPossible(() => readManifestEvidence(view, directory, fileNumber, storeId));
    const isOurs = evidence?.storeId === undefined || storeId === undefined || equalBytes(evidence.storeId, storeId);
    if (evidence !== undefined && isOurs) manifests.push(evidence);
  }
  const usable = manifests.filter(({ state }) => state !== undefined);
  const current = usable.find(({ fileNumber }) => fileNumber === inForce);
  const others = usable.filter((each) => each !== current);
  const ranked = current === undefined ? others : [current, ...others];
  const chosen =
    [current].find((each) => each !== undefined && isWholeHere(each, names)) ??
    others.find((each) => isWholeHere(each, names) && hasTables(each.state!, names, 'all')) ??
    ranked.find(({ state }) => hasTables(state!, names, 'all')) ??
    ranked.find(({ state }) => hasTables(state!, names, 'some'));
  if (chosen === undefined)
    return {
      kind: 'tables',
      storeId,
      manifest: null,
      state: undefined,
      isWhole: false,
      damage: lostEdits(manifests[0]) ?? lostDescription(look),
    };
  const isWhole = isWholeHere(chosen, names) && (chosen === current || hasTables(chosen.state!, names, 'all'));
  return {
    kind: chosen === current ? 'current' : 'other-manifest',
    storeId: storeId ?? chosen.storeId,
    manifest: chosen.name,
    state: chosen.state,
    isWhole,
    damage: isWhole ? undefined : lostEdits(chosen),
  };
}

/** File numbers of that kind in the directory, ascending. */
export function numbersOf(view: EvidenceView, kind: NumberedKind): readonly FileNumber[] {
  const numbers = view.entries.flatMap((entry) => {
    const parsed = parseFileName(entry.name);
    return entry.kind === 'file' && parsed.kind === kind
      ? [(parsed as { readonly fileNumber: number }).fileNumber]
      : [];
  });
  return numbers.toSorted((a, b) => a - b);
}

/** Whether nothing that was in effect is lost: damage at the very end is a torn edit while everything that it may have replaced is there. */
function isWholeHere({ state, damage }: ManifestEvidence, names: ReadonlySet<string>): boolean {
  if (damage === undefined) return true;
  if (!damage.isAtEnd || state === undefined) return false;
  const hasSegment = state.oldestSegment === NO_SEGMENT || names.has(walFileName(state.oldestSegment));
  return hasSegment && hasTables(state, names, 'all');
}

function hasTables({ levels }: StoreState, names: ReadonlySet<string>, wanted: 'all' | 'some'): boolean {
  const tables = levels.flat();
  const isThere = ({ fileNumber }: { readonly fileNumber: FileNumber }): boolean =>
    names.has(tableFileName(fileNumber));
  return wanted === 'all' ? tables.every(isThere) : tables.some(isThere);
}

function lostEdits(manifest: ManifestEvidence | undefined): DamagedPlace | undefined {
  if (manifest?.damage === undefined) return undefined;
  const { offset, bytes, reason } = manifest.damage;
  return {
    kind: 'manifest',
    file: manifest.name,
    offset,
    bytes,
    reason,
    level: null,
    rank: 0,
    entryCount: null,
    firstSequence: null,
    lastSequence: null,
    bounds: ALL_KEYS,
  };
}

/** Whatever a manifest would have named may be missing too. */
function lostDescription({ current }: StoreLook): DamagedPlace {
  return {
    kind: 'manifest',
    file: current === undefined ? CURRENT_FILE : manifestFileName(current.manifestNumber),
    offset: 0,
    bytes: 0,
    reason: 'no manifest says which tables and segments there were, so those that are missing are not known',
    level: null,
    rank: 0,
    entryCount: null,
    firstSequence: null,
    lastSequence: null,
    bounds: ALL_KEYS,
  };
}

/** CURRENT's word, if its manifest bears it out; otherwise what most files say, CURRENT among them, and of these the newest. */
async function findStoreId(
  view: EvidenceView,
  directory: string,
  { current }: StoreLook,
): Promise<Uint8Array | undefined> {
  const votes = new Map<string, { count: number; newest: FileNumber; readonly storeId: Uint8Array }>();
  let ofManifest: string | undefined;
  for (const kind of Object.keys(MAGIC_OF) as NumberedKind[]) {
    for (const fileNumber of numbersOf(view, kind)) {
      const storeId = await readIfPossible(() => headerStoreId(view, directory, kind, fileNumber));
      if (storeId === undefined) continue;
      const key = storeId.join();
      if (kind === 'manifest' && fileNumber === current?.manifestNumber) ofManifest = key;
      const vote = votes.get(key) ?? { count: 0, newest: 0, storeId };
      votes.set(key, { storeId, count: vote.count + 1, newest: Math.max(vote.newest, fileNumber) });
    }
  }
  if (current !== undefined) {
    const said = current.storeId.join();
    const vote = votes.get(said) ?? { count: 0, newest: 0, storeId: current.storeId };
    votes.set(said, { ...vote, count: vote.count + (said === ofManifest ? Infinity : 1) });
  }
  const [winner] = [...votes.values()].toSorted((a, b) => b.count - a.count || b.newest - a.newest);
  return winner?.storeId;
}

const NAME_OF: Readonly<Record<NumberedKind, (fileNumber: FileNumber) => string>> = {
  manifest: manifestFileName,
  wal: walFileName,
  table: tableFileName,
};

async function headerStoreId(
  view: EvidenceView,
  directory: string,
  kind: NumberedKind,
  fileNumber: FileNumber,
): Promise<Uint8Array | undefined> {
  const handle = await view.open(`${directory}/${NAME_OF[kind](fileNumber)}`, 'read');
  try {
    const header = await readHeaderEvidence(handle, kind);
    return header.storeId;
  } finally {
    await handle.close();
  }
}

/** @returns `undefined` when the file system refuses: nothing can be said of the file. */
async function readIfPossible<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FileSystemError) return undefined;
    throw error;
  }
}
