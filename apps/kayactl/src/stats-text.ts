/** A STATS document as `name value` lines. */

import type { StatsDocument } from './store/store.ts';

/** Names of nested objects are joined with a dot, as in `engine.put_count`. */
export function flattenDocument(document: StatsDocument, prefix = ''): readonly (readonly [string, string])[] {
  return Object.entries(document).flatMap(([name, value]) => {
    if (isDocument(value)) return flattenDocument(value, `${prefix}${name}.`);
    return [[`${prefix}${name}`, typeof value === 'string' ? value : JSON.stringify(value)] as const];
  });
}

export function isDocument(value: unknown): value is StatsDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The engine's counters: a server nests them under `engine`, an embedded store has nothing else. */
export function engineCounters(document: StatsDocument): StatsDocument {
  const nested = document['engine'];
  return isDocument(nested) ? nested : document;
}

/** A counter, or `undefined` when the server does not send it. */
export function counterOf(document: StatsDocument, name: string): number | undefined {
  const value = document[name];
  return typeof value === 'number' ? value : undefined;
}
