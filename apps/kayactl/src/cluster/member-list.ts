/** The members of a cluster as MEMBERS and STATUS tell of them. docs/reference/server.md, "MEMBERS". */

import type { JsonDocument } from '@kayadb/client';

import { countText } from '../count-text.ts';
import { formatTable } from '../table-text.ts';
import { flagOf, numberOf, objectOf, objectsOf, textOf } from './fields.ts';

export interface MemberRow {
  readonly node: number;
  /** `voter`, `learner`, `leaving` or `none`. */
  readonly kind: string;
  readonly isLeader: boolean;
  readonly isSelf: boolean;
  readonly peerAddress: string | undefined;
  readonly clientAddress: string | undefined;
  readonly isToBePromoted: boolean;
  /** Known to the leader only. */
  readonly isAnswering: boolean | undefined;
  /** Entries that it does not have yet; known to the leader only. */
  readonly lag: number | undefined;
  /** How it is being sent the log, or how much of a snapshot it has; known to the leader only. */
  readonly state: string | undefined;
}

/** How many votes there are, how many are needed, and how many there would be. */
export interface Votes {
  readonly voters: number;
  readonly quorum: number;
  /** `undefined` when whoever was asked does not lead. */
  readonly answering: number | undefined;
}

/** By node, as they come. */
export function readMembers(document: JsonDocument): readonly MemberRow[] {
  return objectsOf(document, 'members').map((member) => {
    const progress = objectOf(member, 'progress');
    const isLeader = flagOf(member, 'is_leader') === true;
    const isSelf = flagOf(member, 'is_self') === true;
    return {
      node: numberOf(member, 'node') ?? 0,
      kind: textOf(member, 'kind') ?? '-',
      isLeader,
      isSelf,
      peerAddress: textOf(member, 'peer_address'),
      clientAddress: textOf(member, 'client_address'),
      isToBePromoted: flagOf(member, 'is_to_be_promoted') === true,
      isAnswering: flagOf(member, 'is_answering'),
      lag: isLeader && isSelf ? 0 : numberOf(progress, 'lag'),
      state: stateOf(progress),
    };
  });
}

export function votesOf(members: readonly MemberRow[]): Votes {
  const voters = members.filter(({ kind }) => kind === 'voter' || kind === 'leaving');
  const isKnown = voters.some(({ isAnswering }) => isAnswering !== undefined);
  return {
    voters: voters.length,
    quorum: Math.floor(voters.length / 2) + 1,
    answering: isKnown ? voters.filter(({ isAnswering }) => isAnswering === true).length : undefined,
  };
}

/** One sentence, as in `3 voters, 2 must answer, 3 do: tolerates 1 failure`. */
export function describeVotes({ voters, quorum, answering }: Votes): string {
  const need = `${countText(voters, 'voter')}, ${quorum} must answer`;
  const tolerates = `tolerates ${countText(Math.max(0, voters - quorum), 'failure')}`;
  if (answering === undefined) return `${need}: ${tolerates}`;
  if (answering < quorum) return `${need}, ${answering} ${answering === 1 ? 'does' : 'do'}: no quorum`;
  const spare = answering - quorum;
  const now = answering === voters ? '' : `, ${spare === 0 ? 'none' : spare} more now`;
  return `${need}, ${answering} ${answering === 1 ? 'does' : 'do'}: ${tolerates}${now}`;
}

export function describeMembers(members: readonly MemberRow[]): Promise<string> {
  const head = ['NODE', 'ROLE', 'ANSWERS', 'LAG', 'STATE', 'RAFT', 'CLIENT'];
  const rows = members.map((member) => [
    String(member.node),
    member.isLeader ? 'leader' : member.kind,
    member.isAnswering === undefined ? '-' : member.isAnswering ? 'yes' : 'no',
    String(member.lag ?? '-'),
    member.state ?? '-',
    member.peerAddress ?? '-',
    member.clientAddress ?? '-',
  ]);
  return formatTable(head, rows);
}

function stateOf(progress: JsonDocument | undefined): string | undefined {
  const state = textOf(progress, 'state');
  const snapshot = objectOf(progress, 'snapshot');
  const [arrived, total] = [numberOf(snapshot, 'arrived_bytes'), numberOf(snapshot, 'total_bytes')];
  if (arrived === undefined || total === undefined || total === 0) return state;
  return `${state ?? 'snapshot'}:${Math.floor((100 * arrived) / total)}%`;
}
