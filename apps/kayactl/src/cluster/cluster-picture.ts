/** What the reports of all nodes together say: who leads, who is behind, and whether anything can be written. */

import { flagOf, numberOf, textOf } from './fields.ts';
import { readMembers, type Votes, votesOf } from './member-list.ts';
import { healthOf, isServing, type NodeHealth } from './node-health.ts';
import type { NodeReport } from './survey.ts';

export type NodePicture =
  | Exclude<NodeReport, { readonly ok: true }>
  | (Extract<NodeReport, { readonly ok: true }> & {
      readonly role: string;
      readonly health: NodeHealth;
      /** Entries that the leader has committed and this node has not applied; `undefined` without a leader. */
      readonly lag: number | undefined;
    });

export interface ClusterPicture {
  readonly nodes: readonly NodePicture[];
  /** Who is heard by a majority. */
  readonly leader: number | undefined;
  /** As the leader counts them. */
  readonly votes: Votes | undefined;
  /** Every node was reached, and each of them serves. */
  readonly isWhole: boolean;
}

export function drawPicture(reports: readonly NodeReport[]): ClusterPicture {
  const leading = findLeader(reports);
  const commit = numberOf(leading?.document, 'commit_index');
  const nodes = reports.map((report): NodePicture => {
    if (!report.ok) return report;
    const { document } = report;
    const applied = numberOf(document, 'applied_index');
    const lag = commit === undefined || applied === undefined ? undefined : Math.max(0, commit - applied);
    return { ...report, role: textOf(document, 'role') ?? '-', health: healthOf(document, lag), lag };
  });
  return {
    nodes,
    leader: leading?.node,
    votes: leading === undefined ? undefined : votesOf(readMembers(leading.document)),
    isWhole: nodes.every((node) => node.ok && isServing(node.health)),
  };
}

/** One of an earlier term may still think that it leads; the newest one does. */
function findLeader(reports: readonly NodeReport[]): Extract<NodeReport, { readonly ok: true }> | undefined {
  const leaders = reports.filter(
    (report) =>
      report.ok && textOf(report.document, 'role') === 'leader' && flagOf(report.document, 'has_leader') !== false,
  );
  return leaders
    .filter((report) => report.ok)
    .toSorted((a, b) => (numberOf(b.document, 'term') ?? 0) - (numberOf(a.document, 'term') ?? 0))[0];
}
