/**
 * Up to where the logs of other members have held what is committed, as this node has seen it while it led. A log that ends below that was set back: committed entries do not leave the
 * log of a member that has acknowledged them. Bound: members.
 */

import type { LogIndex, NodeId, NodeStatus } from '@kayadb/raft';

import type { Member } from '../machine/command.ts';

export class HeldLogs {
  readonly #held = new Map<NodeId, { readonly incarnation: number; readonly index: LogIndex }>();

  /** 0: nothing is known of the node with this directory. */
  heldBy(node: NodeId, incarnation: number): LogIndex {
    const known = this.#held.get(node);
    return known?.incarnation === incarnation ? known.index : 0;
  }

  /** @param status - Of this node. @param members - Tell one directory of a node from the next one, of which nothing is known yet. */
  observe({ id, commit, progress }: Pick<NodeStatus, 'id' | 'commit' | 'progress'>, members: readonly Member[]): void {
    for (const [node, { match }] of progress) {
      const incarnation = members.find((member) => member.node === node)?.incarnation ?? 0;
      if (node === id || incarnation === 0) continue;
      const known = this.#held.get(node);
      const before = known?.incarnation === incarnation ? known.index : 0;
      this.#held.set(node, { incarnation, index: Math.max(before, Math.min(match, commit)) });
    }
    for (const [node, { incarnation }] of this.#held) {
      if (!members.some((member) => member.node === node && member.incarnation === incarnation))
        this.#held.delete(node);
    }
  }
}
