/**
 * What a leader owes the rows of members, from what it knows: pure.
 *
 * Invariant: an incarnation that a row knows is never changed; a row goes only when its node is in no part of the configuration.
 */

import type { Configuration, NodeId } from '@kayadb/raft';

import type { Member } from '../machine/command.ts';
import type { MetPeer, NodeCard } from './group-access.ts';

export type Duty =
  | { readonly kind: 'put-member'; readonly member: Member }
  | { readonly kind: 'drop-member'; readonly node: NodeId }
  | { readonly kind: 'raise-level'; readonly level: number }
  | { readonly kind: 'promote'; readonly node: NodeId };

export interface DutyView {
  readonly self: NodeCard;
  readonly configuration: Configuration;
  /** Everybody in any part of `configuration`, ascending. */
  readonly nodes: readonly NodeId[];
  readonly rows: readonly Member[];
  /** What those say of themselves who are there. */
  readonly met: (node: NodeId) => MetPeer | undefined;
  readonly wasRemoved: (node: NodeId, incarnation: number) => boolean;
  readonly groupLevel: number;
}

/** All that is to be done, what is most urgent first. */
export function listDuties(view: DutyView): readonly Duty[] {
  return [...listPuts(view), ...listDrops(view), ...listRaises(view)];
}

function listPuts({ self, configuration, nodes, rows, met, wasRemoved }: DutyView): readonly Duty[] {
  return nodes.flatMap((node): readonly Duty[] => {
    const said = node === self.node ? self : met(node);
    const row = rows.find((each) => each.node === node);
    if (said === undefined || !mayBe(row, said) || wasRemoved(node, said.incarnation)) return [];
    const member: Member = {
      node,
      incarnation: said.incarnation,
      level: said.level,
      isToBePromoted: row?.isToBePromoted === true && !configuration.voters.includes(node),
      peerAddress: said.peerAddress || (row?.peerAddress ?? ''),
      clientAddress: said.clientAddress || (row?.clientAddress ?? ''),
    };
    return row !== undefined && isSame(row, member) ? [] : [{ kind: 'put-member', member }];
  });
}

/** Another directory than the one that is known is not a member. */
function mayBe(row: Member | undefined, { incarnation }: Pick<MetPeer, 'incarnation'>): boolean {
  return row === undefined || row.incarnation === 0 || row.incarnation === incarnation;
}

function isSame(a: Member, b: Member): boolean {
  return (
    a.incarnation === b.incarnation &&
    a.level === b.level &&
    a.isToBePromoted === b.isToBePromoted &&
    a.peerAddress === b.peerAddress &&
    a.clientAddress === b.clientAddress
  );
}

/** A removal, or an addition, that was not finished. */
function listDrops({ nodes, rows }: DutyView): readonly Duty[] {
  return rows.filter(({ node }) => !nodes.includes(node)).map(({ node }) => ({ kind: 'drop-member', node }));
}

/** To what every member knows; nothing is known of one without a row. */
function listRaises({ self, nodes, rows, groupLevel }: DutyView): readonly Duty[] {
  const isComplete = nodes.every((node) => rows.some((row) => row.node === node));
  const level = Math.min(self.level, ...rows.map((row) => row.level));
  return isComplete && level > groupLevel ? [{ kind: 'raise-level', level }] : [];
}
