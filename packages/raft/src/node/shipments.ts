/**
 * Snapshots on their way to peers.
 *
 * Invariant: one per peer, and each ends in exactly one report to the core. A second one to the same peer is covered by the report of the first: if the peer needs another
 * one after that, the core finds out.
 */

import type { SnapshotRequest } from '../core/message.ts';
import type { LogIndex, NodeId } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { SnapshotShipper } from './peers.ts';

export interface ShipmentsHost {
  report(to: NodeId, hasArrived: boolean): void;
  onFailed(to: NodeId, index: LogIndex, cause: unknown): void;
}

interface Shipment {
  readonly abort: AbortController;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

export class Shipments {
  readonly #shipper: SnapshotShipper;
  readonly #host: ShipmentsHost;
  readonly #underWay = new Map<NodeId, Shipment>();
  #isStopped = false;

  constructor(shipper: SnapshotShipper, host: ShipmentsHost) {
    this.#shipper = shipper;
    this.#host = host;
  }

  /** Peers to which one is under way. */
  get count(): number {
    return this.#underWay.size;
  }

  ship(message: SnapshotRequest): void {
    if (this.#isStopped || this.#underWay.has(message.to)) return;
    const abort = new AbortController();
    this.#underWay.set(message.to, { abort, ended: this.#ship(message, abort.signal) });
  }

  /** Nobody needs them any more. They are reported all the same, when the shipper has let go. */
  callOff(): void {
    for (const { abort } of this.#underWay.values()) {
      if (!abort.signal.aborted)
        abort.abort(new RaftError('KAYA_RAFT_DROPPED', 'a snapshot is not sent on: this node does not lead'));
    }
  }

  /** Nothing is reported any more. Resolves when the shipper has let go. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { abort } of this.#underWay.values())
      abort.abort(new RaftError('KAYA_RAFT_STOPPED', 'the node has stopped'));
    await Promise.all(Array.from(this.#underWay.values(), ({ ended }) => ended));
  }

  async #ship(message: SnapshotRequest, signal: AbortSignal): Promise<void> {
    const { to, snapshot } = message;
    let hasArrived = false;
    try {
      // The shipper must not be called within the turn that asks for it: it may answer at once.
      await Promise.resolve();
      await this.#shipper.ship(message, signal);
      hasArrived = true;
    } catch (error) {
      if (!this.#isStopped) this.#host.onFailed(to, snapshot.meta.index, error);
    }
    this.#underWay.delete(to);
    if (!this.#isStopped) this.#host.report(to, hasArrived);
  }
}
