/**
 * Ships snapshots to peers with one sender each: what a node asks for, on one side, and frames to and from peers, on the other.
 *
 * Invariant: each `ship` ends exactly once, and its snapshot is unpinned then.
 */

import type { SnapshotRequest } from '../core/message.ts';
import type { NodeId } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { TransferMessage } from '../wire/transfer-message.ts';
import type { SnapshotShipper } from './peers.ts';
import { type SenderEffect, SnapshotSender } from './snapshot-sender.ts';
import type { PinnedSnapshot, SnapshotSource } from './snapshot-source.ts';

export interface TransferShipperOptions {
  readonly source: SnapshotSource;
  /** To `message.to`. Must not call the shipper before it returns. May drop what it cannot send now. */
  readonly send: (message: TransferMessage) => void;
  /** An integer of 0 or more, below `limit`, which is 2^32 at most. */
  readonly random: (limit: number) => number;
  readonly chunkBytes?: number;
  readonly windowBytes?: number;
  /** Without progress, before it is offered again. */
  readonly retryTicks?: number;
  /** Without progress, before it is given up. */
  readonly maxRetries?: number;
}

interface Shipment {
  readonly sender: SnapshotSender;
  /** `undefined`: it was delivered. Only the first call counts. */
  readonly finish: (failure: unknown) => void;
}

type Answer = Parameters<SnapshotSender['receive']>[0];

const DEFAULT_RETRY_TICKS = 50;
const DEFAULT_MAX_RETRIES = 10;

export class TransferShipper implements SnapshotShipper {
  readonly #options: TransferShipperOptions;
  readonly #shipments = new Map<NodeId, Shipment>();

  constructor(options: TransferShipperOptions) {
    this.#options = options;
  }

  /** How far it is with each peer. */
  get progress(): ReadonlyMap<NodeId, SnapshotSender['progress']> {
    return new Map([...this.#shipments].map(([to, { sender }]) => [to, sender.progress]));
  }

  /**
   * Resolves, as it rejects, when the snapshot is unpinned.
   *
   * @throws RaftError KAYA_RAFT_DROPPED with the reason; what `signal` was aborted with; or what the source threw. @throws RangeError for files that cannot be sent.
   */
  async ship(request: SnapshotRequest, signal: AbortSignal): Promise<void> {
    const { to } = request;
    const pinned = await this.#options.source.pin(request.snapshot);
    const sender = this.#openSender(request, pinned);
    const failure = await new Promise<unknown>((resolve) => {
      this.#shipments.set(to, { sender, finish: resolve });
      signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
      if (signal.aborted) resolve(signal.reason);
      else this.#carryOut(to, sender.offer());
    });
    this.#shipments.delete(to);
    sender.cancel();
    await sender.released;
    if (failure !== undefined) throw failure;
  }

  /** Takes what a peer says about a snapshot that is sent to it. Anything else is ignored. */
  async receive(answer: Answer): Promise<void> {
    const shipment = this.#shipments.get(answer.from);
    if (shipment === undefined) return;
    const effects = await shipment.sender.receive(answer);
    // Another one may be under way to this peer by now.
    if (this.#shipments.get(answer.from) === shipment) this.#carryOut(answer.from, effects);
  }

  /** The connection to a peer is a new one: what was on its way is lost. */
  connected(to: NodeId): void {
    const shipment = this.#shipments.get(to);
    if (shipment !== undefined) this.#carryOut(to, shipment.sender.offer());
  }

  /** Time goes by. */
  tick(): void {
    for (const [to, { sender }] of [...this.#shipments].toSorted(([a], [b]) => a - b)) {
      this.#carryOut(to, sender.tick());
    }
  }

  #carryOut(to: NodeId, effects: readonly SenderEffect[]): void {
    const finish = this.#shipments.get(to)?.finish;
    try {
      for (const effect of effects) {
        if (effect.kind === 'send') this.#options.send(effect.message);
        else finish?.(effect.kind === 'delivered' ? undefined : notDelivered(effect));
      }
    } catch (error) {
      finish?.(error);
    }
  }

  #openSender(request: SnapshotRequest, pinned: PinnedSnapshot): SnapshotSender {
    const {
      retryTicks = DEFAULT_RETRY_TICKS,
      maxRetries = DEFAULT_MAX_RETRIES,
      chunkBytes,
      windowBytes,
    } = this.#options;
    try {
      return new SnapshotSender({
        request,
        pinned,
        transfer: this.#randomTransfer(),
        retryTicks,
        maxRetries,
        ...(chunkBytes === undefined ? {} : { chunkBytes }),
        ...(windowBytes === undefined ? {} : { windowBytes }),
      });
    } catch (error) {
      pinned.unpin();
      throw error;
    }
  }

  #randomTransfer(): number {
    const { random } = this.#options;
    return random(2 ** 21) * 2 ** 32 + random(2 ** 32);
  }
}

function notDelivered({ to, reason, cause }: Extract<SenderEffect, { kind: 'failed' }>): RaftError {
  return new RaftError('KAYA_RAFT_DROPPED', `a snapshot was not delivered to node ${to}: ${reason}`, { cause });
}
