/**
 * What comes in over one connection of a peer: bytes become messages, which go to those that they are for. Without any I/O.
 * Rules: docs/format/raft-messages.md, "What is refused".
 *
 * Invariant: nothing that a peer sends makes it throw; what cannot be read is told. Bound: one unfinished frame.
 */

import { FrameDecoder, KayaError } from '@kayadb/codec';

import type { PeerMessage } from '../core/message.ts';
import { RaftError } from '../errors.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import { decodePeerFrame, isTransferMessage } from '../wire/decode-peer-frame.ts';
import { MAX_PEER_FRAME_BYTES } from '../wire/frame-format.ts';
import type { TransferMessage } from '../wire/transfer-message.ts';
import type { NodeEventSink } from './node-events.ts';
import type { RaftNode } from './raft-node.ts';

export interface PeerIntakeOptions {
  /** Who is at the other end, as the handshake has shown. */
  readonly origin: RaftIdentity;
  readonly node: Pick<RaftNode<unknown>, 'receive'>;
  /** Takes what is about the transfer of a snapshot: `isSenderMessage` tells for which end it is. Must not throw. */
  readonly onTransfer: (message: TransferMessage) => void;
  readonly onEvent?: NodeEventSink;
}

export class PeerIntake {
  readonly #options: PeerIntakeOptions;
  readonly #decoder = new FrameDecoder({ maxFrameBytes: MAX_PEER_FRAME_BYTES });
  #isLost = false;

  constructor(options: PeerIntakeOptions) {
    this.#options = options;
  }

  /**
   * Takes the next bytes of the stream. Keeps `chunk`, which must not change any more: messages are views of it.
   *
   * @returns Whether to go on. If not, nothing behind this can be trusted: the connection is to be closed.
   */
  push(chunk: Uint8Array): boolean {
    this.#decoder.push(chunk);
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) this.takeFrame(frame);
    return !this.#isLost;
  }

  /** As `push`, for hosts whose connections cut frames themselves: a whole one, without its length field. */
  takeFrame(frame: Uint8Array): boolean {
    const message = this.#isLost ? undefined : this.#decode(frame);
    if (message !== undefined) this.#handOn(message);
    return !this.#isLost;
  }

  #nextFrame(): Uint8Array | undefined {
    if (this.#isLost) return undefined;
    try {
      return this.#decoder.next();
    } catch (cause) {
      this.#isLost = true;
      this.#refuse(cause);
      return undefined;
    }
  }

  /** `undefined` for what is no message. After a sound frame of another version, or of a kind that is not known here, the next one may be. */
  #decode(frame: Uint8Array): PeerMessage | TransferMessage | undefined {
    try {
      return decodePeerFrame(frame);
    } catch (cause) {
      this.#isLost = !(cause instanceof RaftError) || cause.code !== 'KAYA_RAFT_UNSUPPORTED';
      this.#refuse(cause);
      return undefined;
    }
  }

  #handOn(message: PeerMessage | TransferMessage): void {
    const { node, origin, onTransfer } = this.#options;
    if (isTransferMessage(message)) onTransfer(message);
    else node.receive(message, origin);
  }

  #refuse(cause: unknown): void {
    const code = cause instanceof KayaError ? cause.code : 'KAYA_RAFT_MALFORMED';
    this.#options.onEvent?.({ kind: 'frame-refused', from: this.#options.origin.nodeId, code, cause });
  }
}
