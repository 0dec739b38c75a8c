/** The members of a group as a node knows them, one row for each. docs/reference/server.md, "MEMBERS". */

import { type Configuration, EMPTY_CONFIGURATION, type NodeId, type ProgressView } from '@kayadb/raft';

import type { Member } from '../machine/command.ts';
import type { NodeSnapshot } from './node-snapshot.ts';

/** `leaving`: votes until the change under way is over. `none`: has a row and is in no configuration. */
export type MemberKind = 'voter' | 'learner' | 'leaving' | 'none';

export interface ProgressRow {
  readonly match_index: number;
  readonly lag: number;
  readonly state: ProgressView['state'];
  readonly in_flight: number;
  readonly snapshot: { readonly arrived_bytes: number; readonly total_bytes: number } | null;
}

export interface MemberRow {
  readonly node: NodeId;
  readonly kind: MemberKind;
  readonly is_self: boolean;
  readonly is_leader: boolean;
  readonly peer_address: string | null;
  readonly client_address: string | null;
  readonly incarnation: number | null;
  readonly level: number | null;
  readonly is_to_be_promoted: boolean;
  readonly is_answering: boolean | null;
  readonly progress: ProgressRow | null;
}

/**
 * By node, ascending.
 *
 * @param clientAddressOf - Of a member that the group has agreed on no address for yet.
 */
export function memberRows(
  snapshot: NodeSnapshot,
  clientAddressOf: (node: NodeId) => string | undefined = () => undefined,
): readonly MemberRow[] {
  const configuration = snapshot.raft?.configuration ?? EMPTY_CONFIGURATION;
  const rows = new Map((snapshot.machine?.members ?? []).map((member) => [member.node, member]));
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  const nodes = new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext, ...rows.keys()]);
  return [...nodes]
    .toSorted((a, b) => a - b)
    .map((node) => {
      const row = memberRow(snapshot, node, kindOf(configuration, node), rows.get(node));
      return { ...row, client_address: row.client_address ?? clientAddressOf(node) ?? null };
    });
}

export function kindOf({ voters, votersOutgoing, learners, learnersNext }: Configuration, node: NodeId): MemberKind {
  if (voters.includes(node)) return 'voter';
  if (votersOutgoing.includes(node)) return 'leaving';
  return learners.includes(node) || learnersNext.includes(node) ? 'learner' : 'none';
}

function memberRow(snapshot: NodeSnapshot, node: NodeId, kind: MemberKind, row: Member | undefined): MemberRow {
  const { view, leader, role } = snapshot;
  const isSelf = node === view.nodeId;
  return {
    node,
    kind,
    is_self: isSelf,
    is_leader: node === leader,
    peer_address: known(row?.peerAddress) ?? (isSelf ? view.peerAddress : null),
    client_address: known(row?.clientAddress) ?? (isSelf ? view.clientAddress : null),
    incarnation: known(row?.incarnation) ?? (isSelf ? view.incarnation : null),
    level: known(row?.level),
    is_to_be_promoted: kind === 'learner' && row?.isToBePromoted === true,
    is_answering: role === 'leader' ? isSelf || isAnswering(snapshot, node) : null,
    progress: isSelf ? null : progressRow(snapshot, node),
  };
}

/**
 * The leader forgets at each check of its quorum whom it has heard, until the next answer comes; a link that is up has not been silent for long (SilenceWatch), so
 * that a member that answers does not seem to come and go.
 */
function isAnswering({ raft, view }: NodeSnapshot, node: NodeId): boolean {
  return raft?.progress.get(node)?.isRecentlyActive === true || view.links.get(node)?.state === 'up';
}

function progressRow({ raft, view }: NodeSnapshot, node: NodeId): ProgressRow | null {
  const progress = raft?.progress.get(node);
  if (raft === undefined || progress === undefined) return null;
  const { match, state, inflightCount } = progress;
  const shipment = view.shipments.get(node);
  return {
    match_index: match,
    lag: Math.max(0, raft.lastIndex - match),
    state,
    in_flight: inflightCount,
    snapshot:
      shipment === undefined ? null : { arrived_bytes: shipment.arrivedBytes, total_bytes: shipment.totalBytes },
  };
}

/** Empty texts and zeros stand for what is not known. */
function known<Value extends string | number>(value: Value | undefined): Value | null {
  return value === undefined || value === '' || value === 0 ? null : value;
}
