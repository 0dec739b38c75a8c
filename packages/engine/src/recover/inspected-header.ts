/** The header of a log segment, manifest or table, as inspections show it. */

import type { HeaderEvidence } from './file-header-evidence.ts';
import type { InspectedHeader } from './file-inspection.ts';
import { crcText } from './inspect-text-file.ts';

/** @param hasStartLsn - Only a log segment has one. */
export function describeHeader(header: HeaderEvidence, hasStartLsn: boolean): InspectedHeader {
  const [stored, computed = stored] = header.seeds;
  return {
    checksum: header.state === 'valid' ? 'ok' : header.state,
    storedCrc: stored === undefined ? null : crcText(stored),
    computedCrc: computed === undefined ? null : crcText(computed),
    formatVersion: header.formatVersion,
    storeId: header.storeId === undefined ? null : Buffer.from(header.storeId).toString('hex'),
    fileNumber: header.fileNumber ?? null,
    startLsn: hasStartLsn && header.state === 'valid' ? header.startLsn : null,
  };
}
