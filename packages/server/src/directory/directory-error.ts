/** Why a directory is not a node's to start from. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

export type DirectoryErrorCode = 'KAYA_EMBEDDED_STORE' | 'KAYA_NODE_FOREIGN' | 'KAYA_NODE_LOST' | 'KAYA_NODE_REMOVED';

export class DirectoryError extends KayaError<DirectoryErrorCode> {}
