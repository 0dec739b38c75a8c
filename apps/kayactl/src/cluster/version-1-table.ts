/** What `kayactl status` shows of servers that speak protocol v1 alone: what STATS has. */

import { counterOf, engineCounters } from '../stats-text.ts';
import { formatTable } from '../table-text.ts';
import { textOf } from './fields.ts';
import type { NodeReport } from './survey.ts';

/** Columns of a server's row: heading, and where the number comes from. */
const NODE_COLUMNS = [
  ['TERM', 'term'],
  ['COMMIT', 'commit_index'],
  ['APPLIED', 'applied_index'],
] as const;
const ENGINE_COLUMNS = [
  ['SEQUENCE', 'last_sequence'],
  ['TABLES', 'sstable_count'],
] as const;

export function describeStoreServers(reports: readonly NodeReport[]): Promise<string> {
  const head = ['SERVER', 'ROLE', ...NODE_COLUMNS.map(([name]) => name), ...ENGINE_COLUMNS.map(([name]) => name)];
  const rows = reports.map((report) => {
    if (!report.ok) return [report.endpoint, report.error];
    const engine = engineCounters(report.document);
    return [
      report.endpoint,
      textOf(report.document, 'role') ?? '-',
      ...NODE_COLUMNS.map(([, name]) => String(counterOf(report.document, name) ?? '-')),
      ...ENGINE_COLUMNS.map(([, name]) => String(counterOf(engine, name) ?? '-')),
    ];
  });
  return formatTable(head, rows);
}
