/** Version edits for samples: single ones, and sequences that a manifest may hold. */

import { fullStateEdit } from '../../version/store-state.ts';
import { LEVEL_COUNT, type TableMeta } from '../../version/table-meta.ts';
import type { VersionEdit } from '../../version/version-edit.ts';
import { EMPTY_LEVELS } from '../../version/version.ts';
import type { SampleSource } from './decoder.ts';
import { sampleNumber, sampleRangeDelete, sampleSpan } from './sample-values.ts';

/** Any fields, whether they fit each other or not. */
export function sampleEdit(random: SampleSource): VersionEdit {
  const number = (): number => sampleNumber(random);
  const numbers = Array.from({ length: random.int(3) }, (_, i) => 10 * i + 1 + random.int(10));
  const table = sampleTable(random, 1 + random.int(1000));
  return {
    ...(random.chance(0.5) && { nextFileNumber: Math.max(1, number()) }),
    ...(random.chance(0.5) && { oldestSegment: number() }),
    ...(random.chance(0.5) && { flushedSequence: number() }),
    ...(random.chance(0.5) && { addedTables: [{ level: random.int(LEVEL_COUNT), table }] }),
    ...(numbers.length > 0 && {
      removedTables: numbers.map((fileNumber) => ({ level: random.int(LEVEL_COUNT), fileNumber })),
    }),
    ...(random.chance(0.3) && { cleanClose: { segment: number(), endLsn: number(), lastSequence: number() } }),
    ...(random.chance(0.3) && { addedRangeDeletes: [sampleRangeDelete(random)] }),
    ...(random.chance(0.3) && { removedRangeDeletes: [number()] }),
    ...(random.chance(0.3) && { durableIndex: number() }),
  };
}

/** The first is a whole state; each fits what is before it. */
export function sampleEdits(random: SampleSource): readonly VersionEdit[] {
  const empty = { nextFileNumber: 5, oldestSegment: 2, flushedSequence: 0, levels: EMPTY_LEVELS, rangeDeletes: [] };
  const edits: VersionEdit[] = [fullStateEdit(empty)];
  const live: number[] = [];
  for (let fileNumber = 5; random.chance(0.7); fileNumber++) {
    const removed = live.length > 0 && random.chance(0.4) ? live.splice(0, 1) : [];
    edits.push({
      nextFileNumber: fileNumber + 1,
      flushedSequence: fileNumber * 10,
      // Level 0, where tables may overlap.
      addedTables: [{ level: 0, table: sampleTable(random, fileNumber) }],
      ...(removed.length > 0 && { removedTables: removed.map((number) => ({ level: 0, fileNumber: number })) }),
      ...(random.chance(0.3) && { addedRangeDeletes: [{ ...sampleRangeDelete(random), sequence: fileNumber * 10 }] }),
    });
    live.push(fileNumber);
  }
  if (random.chance(0.3)) edits.push({ cleanClose: { segment: 2, endLsn: random.int(1000), lastSequence: 100 } });
  return edits;
}

function sampleTable(random: SampleSource, fileNumber: number): TableMeta {
  const [smallestKey, largestKey] = sampleSpan(random);
  const entryCount = 1 + random.int(100);
  return {
    fileNumber,
    fileBytes: 1000 + random.int(1000),
    entryCount,
    deleteCount: random.int(entryCount),
    smallestSequence: fileNumber * 10,
    largestSequence: fileNumber * 10 + 9,
    smallestKey,
    largestKey,
    ...(random.chance(0.3) && { rangeDeletesApplied: sampleNumber(random) }),
  };
}
