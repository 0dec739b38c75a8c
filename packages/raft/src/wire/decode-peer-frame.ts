/** Any frame of another node, whichever half of the node it is for. Format: docs/format/raft-messages.md. */

import type { PeerMessage } from '../core/message.ts';
import { readPeerMessage } from './decode-peer-message.ts';
import { readTransferMessage } from './decode-transfer-message.ts';
import { isTransferKind } from './frame-format.ts';
import { openFrame, refusingMalformed } from './peer-frame.ts';
import type { TransferMessage } from './transfer-message.ts';

/**
 * The `kind` tells messages of the core from those of a snapshot's transfer (`isTransferMessage`). Ownership and errors as `decodePeerMessage`.
 */
export function decodePeerFrame(frame: Uint8Array): PeerMessage | TransferMessage {
  return refusingMalformed(() => {
    const opened = openFrame(frame);
    return isTransferKind(opened.kind) ? readTransferMessage(opened) : readPeerMessage(opened);
  });
}

export function isTransferMessage(message: PeerMessage | TransferMessage): message is TransferMessage {
  return isTransferKind(message.kind);
}
