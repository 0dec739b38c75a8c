/** Puts tables into as few runs as their overlaps allow, so that a merge has as few files open as it can. Pure. */

import { compareBytes } from '@kayadb/codec';

import type { SurveyedTable } from './survey-tables.ts';

/** Each run: tables of one rank, sorted by key, without overlap. Of a table whose keys are not known, a run of its own. */
export function groupIntoRuns(tables: readonly SurveyedTable[]): readonly (readonly SurveyedTable[])[] {
  const runs: SurveyedTable[][] = [];
  const open = new Map<number, SurveyedTable[][]>();
  for (const table of tables.toSorted(bySmallestKey)) {
    const bounds = boundsOf(table);
    const ofRank = open.get(table.rank) ?? [];
    open.set(table.rank, ofRank);
    const run =
      bounds && ofRank.find((each) => compareBytes(boundsOf(each.at(-1)!)!.largestKey, bounds.smallestKey) < 0);
    if (run !== undefined) {
      run.push(table);
      continue;
    }
    const started = [table];
    runs.push(started);
    if (bounds !== undefined) ofRank.push(started);
  }
  return runs;
}

function bySmallestKey(a: SurveyedTable, b: SurveyedTable): number {
  const [left, right] = [boundsOf(a), boundsOf(b)];
  if (left === undefined || right === undefined) return (left === undefined ? 1 : 0) - (right === undefined ? 1 : 0);
  return compareBytes(left.smallestKey, right.smallestKey);
}

function boundsOf({
  meta,
  properties,
}: SurveyedTable): Pick<NonNullable<typeof meta>, 'smallestKey' | 'largestKey'> | undefined {
  return meta ?? properties;
}
