/** A change of the group that has one step: it changes one voter at most, so it needs no joint configuration (thesis section 4.1). */

import type { ConfigChange, ConfigStepKind, NodeId } from '@kayadb/raft';

export function stepOf(kind: ConfigStepKind, node: NodeId): ConfigChange {
  return { transition: 'auto', steps: [{ kind, node }], context: new Uint8Array(0) };
}
