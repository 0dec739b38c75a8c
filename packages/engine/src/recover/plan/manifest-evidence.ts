/** What one manifest says up to its first damage, whatever its header and its end look like. Format: docs/format/manifest.md. */

import { manifestFileName } from '../../files/file-names.ts';
import type { FileNumber } from '../../key/internal-key.ts';
import type { StoreState } from '../../version/store-state.ts';
import type { EvidenceView } from '../evidence-view.ts';
import { EditSum } from '../examine-log.ts';
import { describeStranger, ownSeeds, readHeaderEvidence } from '../file-header-evidence.ts';
import { walkLog } from '../walk-log.ts';

export interface ManifestEvidence {
  readonly name: string;
  readonly fileNumber: FileNumber;
  /** Of a header that verifies. */
  readonly storeId: Uint8Array | undefined;
  /** After the last edit before any damage; `undefined` when there is none. */
  readonly state: StoreState | undefined;
  readonly damage: ManifestDamage | undefined;
}

export interface ManifestDamage {
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** Nothing that verifies stands behind it: it may be an edit that was never in effect. */
  readonly isAtEnd: boolean;
}

/**
 * @param storeId - As other files have it.
 * @throws FileSystemError when it cannot be read.
 */
export async function readManifestEvidence(
  view: EvidenceView,
  directory: string,
  fileNumber: FileNumber,
  storeId: Uint8Array | undefined,
): Promise<ManifestEvidence> {
  const name = manifestFileName(fileNumber);
  const handle = await view.open(`${directory}/${name}`, 'read');
  try {
    const header = await readHeaderEvidence(handle, 'manifest');
    const fileBytes = await handle.size();
    const stranger = describeStranger(header, { storeId: undefined, fileNumber });
    const identity = { name, fileNumber, storeId: header.storeId };
    if (stranger !== undefined || header.state === 'unsupported') {
      const reason = stranger ?? header.reason;
      return { ...identity, state: undefined, damage: { offset: 0, bytes: fileBytes, reason, isAtEnd: false } };
    }
    for (const seed of ownSeeds('manifest', header, { storeId, fileNumber })) {
      const edits = await sumEdits(handle, fileBytes, seed);
      if (edits.state !== undefined) return { ...identity, ...edits };
    }
    const damage = { offset: 0, bytes: fileBytes, reason: 'not a single whole edit is left', isAtEnd: false };
    return { ...identity, state: undefined, damage };
  } finally {
    await handle.close();
  }
}

async function sumEdits(
  handle: Parameters<typeof walkLog>[0]['handle'],
  fileBytes: number,
  seed: number,
): Promise<Pick<ManifestEvidence, 'state' | 'damage'>> {
  const sum = new EditSum();
  let nextOrdinal = 1;
  let wrong: { readonly offset: number; readonly reason: string } | undefined;
  const walk = await walkLog({ handle, fileBytes, seed, startLsn: 0 }, (record) => {
    if (wrong !== undefined) return;
    const isNext = record.firstOrdinal === nextOrdinal;
    const reason = isNext ? sum.check(record) : `edit ${nextOrdinal} should stand here, not ${record.firstOrdinal}`;
    if (reason !== undefined) wrong = { offset: record.offset, reason };
    nextOrdinal += record.count;
  });
  const [gap] = walk.gaps;
  const first = gap !== undefined && gap.offset <= (wrong?.offset ?? Infinity) ? gap : wrong;
  if (first === undefined) return { state: sum.state, damage: undefined };
  const { offset, reason } = first;
  const isAtEnd = gap === first && !gap.isInside;
  return { state: sum.state, damage: { offset, reason, bytes: walk.contentEnd - offset, isAtEnd } };
}
