/**
 * How the front doors ask for changes of the group. Whoever changes it plans first, by `planChange`, and proposes nothing that the plan refuses.
 */

import type { ChangePlan } from './plan-change.ts';

export interface NewMember {
  readonly node: number;
  readonly peerAddress: string;
  readonly clientAddress: string;
  /** It is not promoted when it has caught up, only on request. */
  readonly staysLearner: boolean;
}

export interface ChangeOptions {
  /** Only plans. */
  readonly isDryRun: boolean;
}

export interface PlannedChange {
  readonly plan: ChangePlan;
  /** Where in the log it was proposed; undefined when it was not: by a dry run, or since the plan refuses it. */
  readonly index: number | undefined;
}

/** Each rejects as `Replica.write` does: with ReplicaError KAYA_NOT_LEADER, KAYA_OVERLOADED, KAYA_UNKNOWN_OUTCOME and so on. */
export interface MembershipOperations {
  add(member: NewMember, options: ChangeOptions): Promise<PlannedChange>;
  promote(node: number, options: ChangeOptions): Promise<PlannedChange>;
  remove(node: number, options: ChangeOptions): Promise<PlannedChange>;
  /**
   * Has another voter lead; nothing is done when it leads already.
   *
   * @param node - 0: whichever is the furthest.
   * @returns Who leads now. Rejects with ServerError KAYA_MEMBERSHIP_REFUSED when the node can not lead.
   */
  transfer(node: number): Promise<number>;
}

/** The document that ADD_MEMBER, PROMOTE_MEMBER and REMOVE_MEMBER are answered with. docs/reference/server.md, "Membership". */
export function changeJson({ plan, index }: PlannedChange): string {
  const { change, before, after, refusal, notes } = plan;
  return JSON.stringify({
    change: change.kind,
    node: change.node,
    proposed_at: index ?? null,
    refusal: refusal ?? null,
    notes,
    before,
    after,
  });
}
