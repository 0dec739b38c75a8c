/** What a reader finds in a store, and how findings speak of it. */

import type { Engine, ScanOptions } from '@kayadb/engine';

import type { Content } from '../workload/workload.ts';

export async function contentOf(
  engine: Engine,
  options: Pick<ScanOptions, 'snapshot' | 'reverse'> = {},
): Promise<Content> {
  const rows = new Map<string, string>();
  for await (const { key, value } of engine.scan({ ...options, keyEncoding: 'utf8', valueEncoding: 'utf8' })) {
    rows.set(key, value);
  }
  return rows;
}

/** Keys with the beginning and the length of their values. */
export function describeContent(content: Content): string {
  return [...content].map(([key, value]) => `${key}=${value.slice(0, 6)}*${value.length}`).join(' ');
}
