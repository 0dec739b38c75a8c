/** A change of who is in a group, as data: what it is to do, and whether it goes through a joint configuration (thesis sections 4.1 and 4.3). */

import type { NodeId } from './types.ts';

/**
 * - `add-voter`: adds a node as a voter, or makes a voter of a learner.
 * - `add-learner`: adds a node as a learner, or makes a learner of a voter.
 * - `remove`: of a voter or a learner.
 * - `update`: changes nothing here; for what a host keeps about its nodes.
 */
export type ConfigStepKind = 'add-voter' | 'add-learner' | 'remove' | 'update';

export interface ConfigStep {
  readonly kind: ConfigStepKind;
  /** A step for node 0 is passed over: a host may have turned it down. */
  readonly node: NodeId;
}

/**
 * - `auto`: a single step happens at once, several go through a joint configuration that is left without being asked.
 * - `implicit`: through a joint configuration that is left without being asked.
 * - `explicit`: through a joint configuration that is left when a change without steps is proposed.
 */
export type ConfigTransition = 'auto' | 'implicit' | 'explicit';

/** `auto` without steps means: leave the joint configuration. */
export interface ConfigChange {
  readonly transition: ConfigTransition;
  readonly steps: readonly ConfigStep[];
  /** Opaque to the core. */
  readonly context: Uint8Array;
}

/** A change of one step, in the older form. */
export interface ConfigChangeV1 {
  readonly step: ConfigStep;
  /** Opaque to the core. */
  readonly context: Uint8Array;
}

export type ConfigMove =
  | { readonly kind: 'simple' }
  | { readonly kind: 'enter-joint'; readonly autoLeave: boolean }
  | { readonly kind: 'leave-joint' };

/** The same change in the newer form. */
export function fromConfigChangeV1(change: ConfigChangeV1): ConfigChange {
  return { transition: 'auto', steps: [change.step], context: change.context };
}

/** How `change` is carried out. Whether it may be depends on the configuration in force (membership.ts). */
export function decideMove(change: ConfigChange): ConfigMove {
  if (change.transition !== 'auto' || change.steps.length > 1) {
    return { kind: 'enter-joint', autoLeave: change.transition !== 'explicit' };
  }
  return change.steps.length === 0 ? { kind: 'leave-joint' } : { kind: 'simple' };
}
