/** Why a node has no place in its group any more. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';
import type { NodeId } from '@kayadb/raft';
import type { PeerVerdict } from '@kayadb/transport';

export type GroupErrorCode = 'KAYA_REMOVED' | 'KAYA_FENCED';

export class GroupError extends KayaError<GroupErrorCode> {}

/** Verdicts after which a node has no business in its group. */
export type EndVerdict = Extract<PeerVerdict, 'other-directory' | 'set-back' | 'removed'>;

/** What the operator is told. */
export function endErrorOf(verdict: EndVerdict, node: NodeId, directory: string): GroupError {
  switch (verdict) {
    case 'removed':
      return new GroupError(
        'KAYA_REMOVED',
        `node ${node} was removed from its cluster; to bring it back, add it again, with an empty directory in the place of ${directory}`,
      );
    case 'set-back':
      return new GroupError(
        'KAYA_FENCED',
        `the directory ${directory} of node ${node} was set back to an earlier state, which may have forgotten votes; ${WAYS_OUT}`,
      );
    case 'other-directory':
      return new GroupError(
        'KAYA_FENCED',
        `the directory ${directory} is not the one that the group knows node ${node} with; ${WAYS_OUT}`,
      );
  }
}

const WAYS_OUT = 'start the node with the directory that it had, or remove it and add it again with an empty one';
