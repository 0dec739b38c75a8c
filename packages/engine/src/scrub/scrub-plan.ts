/** When the scrub runs and which table comes next: pure decisions. docs/decisions/20261122-background-scrub.md. */

import type { FileNumber } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { Levels } from '../version/version.ts';

/** A store that is opened every day is scrubbed even so. */
const FIRST_PASS_MS = 10 * 60_000;
/** Bound: no timer is set further ahead; those of Node end at 24 days. */
const MAX_TIMER_MS = 24 * 3_600_000;

/** When the next pass is due, by the engine's clock. @param lastStartMs - Of the pass before; undefined before the first. */
export function nextPassAtMs(intervalMs: number, openedMs: number, lastStartMs: number | undefined): number {
  return lastStartMs === undefined ? openedMs + Math.min(intervalMs, FIRST_PASS_MS) : lastStartMs + intervalMs;
}

/** How long to sleep before looking again; 0: it is time. */
export function sleepMs(dueMs: number, nowMs: number): number {
  return Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(dueMs - nowMs)));
}

/** The tables that a pass is to read: those of one moment, oldest file first. */
export function tablesOfPass(levels: Levels): readonly FileNumber[] {
  return levels
    .flat()
    .map(({ fileNumber }) => fileNumber)
    .toSorted((a, b) => a - b);
}

/** What is known of a table now; `undefined` when it is part of the store no more. */
export function findTable(levels: Levels, wanted: FileNumber): TableMeta | undefined {
  for (const tables of levels) {
    const found = tables.find(({ fileNumber }) => fileNumber === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}
