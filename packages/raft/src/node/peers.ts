/** How a node reaches others. Nothing here waits, and nothing here fails: what is lost, Raft sends again. */

import type { PeerMessage, SnapshotRequest } from '../core/message.ts';

/** Bound: the implementation's own queue per peer. What does not fit is dropped, and may be reported to `RaftNode.reportUnreachable`. */
export interface PeerSender {
  /** Must not call the node before it returns. Keeps no promise about arrival or order. */
  send(message: PeerMessage): void;
}

/** Takes snapshots to peers beside the stream of messages, chunk by chunk, so that heartbeats do not wait for them. */
export interface SnapshotShipper {
  /**
   * Requires: nothing under way to the same peer.
   *
   * @param signal - Aborted when the node stops, or leads no more. The promise may take its time even so: until it settles, nothing else is shipped to the peer.
   * @returns When the peer has all of it and its node was given the message.
   * @throws When it was not delivered; it is sent again, or a newer one in its place, when the core asks for it.
   */
  ship(message: SnapshotRequest, signal: AbortSignal): Promise<void>;
}
