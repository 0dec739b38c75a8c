/** Why a directory is not a node's to start from. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

export type DirectoryErrorCode = 'KAYA_EMBEDDED_STORE' | 'KAYA_NODE_FOREIGN' | 'KAYA_NODE_LOST' | 'KAYA_NODE_REMOVED';

export class DirectoryError extends KayaError<DirectoryErrorCode> {}

/** @param path - Of the log. */
export function lostLog(path: string, node: number): DirectoryError {
  return new DirectoryError(
    'KAYA_NODE_LOST',
    `the log in ${path} is gone, and with it what node ${node} has voted and acknowledged; remove the node from its group, and add it again with an empty directory`,
  );
}
