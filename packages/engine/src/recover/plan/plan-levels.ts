/** The store as a picture: levels, tables, where their keys lie among all keys, and the damage. Pure. */

import { compareBytes } from '@kayadb/codec';

import { LEVEL_COUNT } from '../../version/table-meta.ts';
import type { PlanTable } from './recovery-plan.ts';
import type { SurveyedTable } from './survey-tables.ts';

/** Level 0 first. Tables that no manifest places are shown in level 0, where tables may overlap. */
export function drawLevels(tables: readonly SurveyedTable[]): readonly (readonly PlanTable[])[] {
  const rankOf = rankKeys(tables);
  const levels: PlanTable[][] = Array.from({ length: LEVEL_COUNT }, () => []);
  for (const table of tables) levels[table.level ?? 0]!.push(drawTable(table, rankOf));
  return levels.map((level) => level.toSorted((a, b) => a.from - b.from || a.to - b.to));
}

function drawTable(table: SurveyedTable, rankOf: (key: Uint8Array) => number): PlanTable {
  const { file, bytes, meta, properties, isMissing, places } = table;
  const known = meta ?? properties;
  return {
    file,
    bytes: isMissing ? (meta?.fileBytes ?? 0) : bytes,
    entryCount: known?.entryCount ?? null,
    firstSequence: known?.smallestSequence ?? null,
    lastSequence: known?.largestSequence ?? null,
    from: known === undefined ? 0 : rankOf(known.smallestKey),
    to: known === undefined ? 1 : rankOf(known.largestKey),
    isMissing,
    damage: places.map(({ offset, bytes: length, reason }) => ({ offset, bytes: length, reason })),
  };
}

/** Where a bound of a table lies among all of them, 0 to 1. */
function rankKeys(tables: readonly SurveyedTable[]): (key: Uint8Array) => number {
  const bounds = tables.flatMap(({ meta, properties }) => {
    const known = meta ?? properties;
    return known === undefined ? [] : [known.smallestKey, known.largestKey];
  });
  const sorted = bounds.toSorted(compareBytes).filter((key, i, all) => i === 0 || compareBytes(all[i - 1]!, key) !== 0);
  return (key) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(sorted[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return sorted.length < 2 ? 0 : low / (sorted.length - 1);
  };
}
