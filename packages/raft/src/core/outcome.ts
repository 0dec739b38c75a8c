/** What became of an input. A proposal that is not taken is an everyday answer, not an exception. */

import type { LogIndex, NodeId, Term } from './types.ts';

/**
 * - `no-leader`: this node knows of none.
 * - `not-member`: this node leads, and was removed from the configuration.
 * - `transferring`: this node is handing over its leadership.
 * - `quota`: the entries would take more than `maxUncommittedBytes`, or as many reads wait as `maxPendingReads` allows.
 * - `forwarding-disabled`: another node leads, and it is for the host to send proposals there.
 */
export type DropReason = 'no-leader' | 'not-member' | 'transferring' | 'quota' | 'forwarding-disabled';

export type ProposeOutcome =
  /** In this node's log from `index` on, one after the other. Committed only if the entry that is applied at its index has this `term`. */
  | { readonly kind: 'appended'; readonly index: LogIndex; readonly term: Term }
  /** On its way to `leader`, which may take it or not: nothing more is heard of it here. */
  | { readonly kind: 'forwarded'; readonly leader: NodeId }
  /** Not taken, and it will not happen. */
  | { readonly kind: 'dropped'; readonly reason: DropReason };

export type StepOutcome =
  | ProposeOutcome
  | { readonly kind: 'handled' }
  /** A kind that only a node's own host and threads may send came from elsewhere. */
  | { readonly kind: 'foreign-local-message' }
  /** An answer of somebody who is not in the configuration. */
  | { readonly kind: 'unknown-peer' };

export const HANDLED: StepOutcome = { kind: 'handled' };
export const FOREIGN_LOCAL_MESSAGE: StepOutcome = { kind: 'foreign-local-message' };
export const UNKNOWN_PEER: StepOutcome = { kind: 'unknown-peer' };

export function dropped(reason: DropReason): ProposeOutcome {
  return { kind: 'dropped', reason };
}
