/** One picture of `kayactl top`, as lines. */

import type { ClusterPicture, NodePicture } from '../cluster/cluster-picture.ts';
import { numberOf, objectOf } from '../cluster/fields.ts';
import { describeVotes } from '../cluster/member-list.ts';
import { rateText, sizeText } from '../short-text.ts';
import { formatTable } from '../table-text.ts';
import { type Rates, ratesBetween, type Sample } from './rates.ts';

/** The last document of each node, by the address that it was asked at. */
export type Samples = ReadonlyMap<string, Sample>;

/** What matters most comes first: a narrow terminal cuts off the end. */
const HEAD = [
  'NODE',
  'SERVER',
  'ROLE',
  'HEALTH',
  'WRITES/S',
  'READS/S',
  'LAG',
  'FSYNC',
  'STALLED',
  'MERGE/S',
  'TABLES',
  'MEMTABLE',
  'CONNS',
] as const;

/** @param before - Of the look before; empty at the first one, which has no rates. */
export async function drawFrame(
  picture: ClusterPicture,
  before: Samples,
  now: Samples,
  intervalMs: number,
): Promise<readonly string[]> {
  const { nodes, leader, votes } = picture;
  const who = leader === undefined ? 'no leader is heard' : `node ${leader} leads`;
  const can = votes === undefined ? '' : `; ${describeVotes(votes)}`;
  const table = await formatTable(
    HEAD,
    nodes.map((node) => rowOf(node, before.get(node.endpoint), now.get(node.endpoint))),
  );
  return [`${who}${can}`, `every ${intervalMs / 1_000} s; q quits`, '', ...table.split('\n')];
}

function rowOf(node: NodePicture, before: Sample | undefined, now: Sample | undefined): readonly string[] {
  const name = String(node.node ?? '-');
  if (!node.ok) return [name, node.endpoint, node.error];
  const rates = before === undefined || now === undefined ? undefined : ratesBetween(before, now);
  const engine = objectOf(node.document, 'engine');
  return [
    name,
    node.endpoint,
    node.role,
    node.health,
    ...flowOf(rates),
    String(node.lag ?? '-'),
    ...workOf(rates),
    sizeOf(numberOf(engine, 'sstable_bytes')),
    sizeOf(numberOf(engine, 'memtable_bytes')),
    String(numberOf(objectOf(node.document, 'door'), 'connections_open') ?? '-'),
  ];
}

function flowOf(rates: Rates | undefined): readonly string[] {
  return rates === undefined ? ['-', '-'] : [rateText(rates.entries), rateText(rates.reads)];
}

function workOf(rates: Rates | undefined): readonly string[] {
  if (rates === undefined) return ['-', '-', '-'];
  const { mergedBytes, stalled, syncMs } = rates;
  const sync = syncMs === undefined ? '-' : `${syncMs.toFixed(syncMs < 10 ? 1 : 0)}ms`;
  return [sync, `${Math.round(100 * stalled)}%`, sizeText(mergedBytes)];
}

function sizeOf(bytes: number | undefined): string {
  return bytes === undefined ? '-' : sizeText(bytes);
}
