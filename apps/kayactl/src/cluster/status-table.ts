/** The table of `kayactl status`: a line for each node. */

import type { JsonDocument } from '@kayadb/client';

import { durationText, sizeText } from '../short-text.ts';
import { formatTable } from '../table-text.ts';
import type { ClusterPicture, NodePicture } from './cluster-picture.ts';
import { numberOf, objectOf, objectsOf, textOf } from './fields.ts';

const HEAD = [
  'NODE',
  'SERVER',
  'ROLE',
  'HEALTH',
  'TERM',
  'COMMIT',
  'APPLIED',
  'LAG',
  'DISK',
  'LEVELS',
  'STALLS',
  'UPTIME',
  'VERSION',
] as const;

export function describeCluster({ nodes }: ClusterPicture): Promise<string> {
  return formatTable(HEAD, nodes.map(rowOf));
}

function rowOf(node: NodePicture): readonly string[] {
  const name = String(node.node ?? '-');
  if (!node.ok) return [name, node.endpoint, node.error];
  const { document, endpoint, role, health, lag } = node;
  const engine = objectOf(document, 'engine');
  const uptime = numberOf(document, 'uptime_ms');
  return [
    name,
    endpoint,
    role,
    health,
    ...['term', 'commit_index', 'applied_index'].map((field) => String(numberOf(document, field) ?? '-')),
    String(lag ?? '-'),
    textOf(engine, 'disk_state') ?? '-',
    levelsText(engine),
    String(numberOf(engine, 'stall_count') ?? '-'),
    uptime === undefined ? '-' : durationText(uptime),
    textOf(document, 'version') ?? '-',
  ];
}

/** As in `L0=1.2M,L6=640M`; levels without tables are left out. */
export function levelsText(engine: JsonDocument | undefined): string {
  const levels = objectsOf(engine, 'levels').flatMap((level, number) => {
    const bytes = numberOf(level, 'bytes') ?? 0;
    return bytes === 0 ? [] : [`L${number}=${sizeText(bytes)}`];
  });
  return levels.length === 0 ? '-' : levels.join(',');
}
