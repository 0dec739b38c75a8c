/** Whether what a caller proposes as a change of the group is one. Whether it fits the group is found out later. */

import type { ConfigChange, ConfigStepKind, ConfigTransition } from '../core/config-change.ts';
import { isLocalThread } from '../core/types.ts';

const TRANSITIONS: ReadonlySet<ConfigTransition> = new Set<ConfigTransition>(['auto', 'implicit', 'explicit']);
const STEP_KINDS: ReadonlySet<ConfigStepKind> = new Set<ConfigStepKind>([
  'add-voter',
  'remove',
  'update',
  'add-learner',
]);

/** @throws TypeError, RangeError */
export function checkConfigChange({ transition, steps, context }: ConfigChange): void {
  if (!TRANSITIONS.has(transition)) throw new RangeError(`${transition} is no transition`);
  if (!(context instanceof Uint8Array)) throw new TypeError('the context of a change is a Uint8Array');
  for (const { kind, node } of steps) {
    if (!STEP_KINDS.has(kind)) throw new RangeError(`${kind} is no kind of step`);
    if (!Number.isSafeInteger(node) || node < 1 || isLocalThread(node)) {
      throw new RangeError(`a step of a change names node ${node}, which is none`);
    }
  }
}
