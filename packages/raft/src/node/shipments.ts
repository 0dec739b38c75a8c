/**
 * Snapshots on their way to peers.
 *
 * Invariant: one per peer, and each ends in exactly one report to the core. A second one to the same peer is covered by the report of the first: if the peer needs another
 * one after that, the core finds out.
 */

import type { SnapshotRequest } from '../core/message.ts';
import type { LogIndex, NodeId } from '../core/types.ts';
import type { SnapshotShipper } from './peers.ts';

export interface ShipmentsHost {
  report(to: NodeId, hasArrived: boolean): void;
  onFailed(to: NodeId, index: LogIndex, cause: unknown): void;
}

export class Shipments {
  readonly #shipper: SnapshotShipper;
  readonly #host: ShipmentsHost;
  readonly #underWay = new Map<NodeId, Promise<void>>();
  readonly #abort = new AbortController();

  constructor(shipper: SnapshotShipper, host: ShipmentsHost) {
    this.#shipper = shipper;
    this.#host = host;
  }

  /** Peers to which one is under way. */
  get count(): number {
    return this.#underWay.size;
  }

  ship(message: SnapshotRequest): void {
    if (this.#abort.signal.aborted || this.#underWay.has(message.to)) return;
    this.#underWay.set(message.to, this.#ship(message));
  }

  /** Nothing is reported any more. Resolves when the shipper has let go. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#underWay.values());
  }

  async #ship(message: SnapshotRequest): Promise<void> {
    const { to, snapshot } = message;
    let hasArrived = false;
    try {
      // The shipper must not be called within the turn that asks for it: it may answer at once.
      await Promise.resolve();
      await this.#shipper.ship(message, this.#abort.signal);
      hasArrived = true;
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#host.onFailed(to, snapshot.meta.index, error);
    }
    this.#underWay.delete(to);
    if (!this.#abort.signal.aborted) this.#host.report(to, hasArrived);
  }
}
