/** Whether the conditions of a write hold. */

import { assertNever, equalBytes, type WriteCondition } from '@kayadb/codec';

import { revisionOf, userKey, valueOf } from './rows.ts';

/** Looks up rows of one state. `undefined`: there is none. */
export type FindRows = (keys: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;

/** Bound: conditions that are looked up, and values that are held, at once. */
const CHUNK = 64;

/** @returns The first that does not hold, counted from 0; undefined when all do. */
export async function findUnmet(conditions: readonly WriteCondition[], find: FindRows): Promise<number | undefined> {
  for (let start = 0; start < conditions.length; start += CHUNK) {
    const chunk = conditions.slice(start, start + CHUNK);
    const rows = await find(chunk.map(({ key }) => userKey(key)));
    const unmet = chunk.findIndex((condition, i) => !holds(condition, rows[i]));
    if (unmet >= 0) return start + unmet;
  }
  return undefined;
}

function holds(condition: WriteCondition, row: Uint8Array | undefined): boolean {
  switch (condition.kind) {
    case 'exists':
      return condition.exists === (row !== undefined);
    case 'value':
      return row !== undefined && equalBytes(valueOf(row), condition.value);
    case 'revision':
      return condition.revision === (row === undefined ? 0 : revisionOf(row));
    default:
      return assertNever(condition, 'condition');
  }
}
