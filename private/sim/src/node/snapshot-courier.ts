/** Both ends of a node's snapshot transfers: the files of its state machine to others, and theirs to it. */

import { crc32c } from '@kayadb/codec';
import {
  type PeerMessage,
  type ReceiverEffect,
  type SenderEffect,
  type SnapshotReceiver,
  type SnapshotRequest,
  SnapshotSender,
  type SnapshotShipper,
  type TransferMessage,
} from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import type { ProcessClock } from '../world/process-gate.ts';
import type { SimMachine } from './sim-machine.ts';

export interface CourierHost {
  send(message: TransferMessage): void;
  /** Its files are where the state machine finds them. */
  deliver(message: PeerMessage): void;
}

export interface CourierParts {
  readonly machine: SimMachine;
  readonly receiver: SnapshotReceiver;
  readonly clock: ProcessClock;
  readonly random: SeededRandom;
  readonly tickMs: number;
  readonly host: CourierHost;
}

interface Shipment {
  readonly sender: SnapshotSender;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const CHUNK_BYTES = 64;
const WINDOW_BYTES = 160;
const RETRY_TICKS = 3;
const MAX_RETRIES = 4;
const MAX_TRANSFER = 2 ** 32;

export class SnapshotCourier implements SnapshotShipper {
  readonly #parts: CourierParts;
  readonly #shipments = new Map<number, Shipment>();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  async ship(request: SnapshotRequest, signal: AbortSignal): Promise<void> {
    const { machine, random } = this.#parts;
    const contents = await machine.readSnapshot(request.snapshot.meta.index);
    const files = contents.map((bytes, at) => ({ name: `part-${at}`, bytes: bytes.length, crc: crc32c(bytes) }));
    const sender = new SnapshotSender({
      request,
      pinned: {
        files,
        read: async (file, buffer, offset) => {
          const part = contents[file]!.subarray(offset, offset + buffer.length);
          buffer.set(part);
          return part.length;
        },
        unpin: () => {},
      },
      transfer: random.int(MAX_TRANSFER),
      chunkBytes: CHUNK_BYTES,
      windowBytes: WINDOW_BYTES,
      retryTicks: RETRY_TICKS,
      maxRetries: MAX_RETRIES,
    });
    const done = new Promise<void>((resolve, reject) => {
      this.#shipments.set(request.to, { sender, resolve, reject });
    });
    const cancel = (): void => sender.cancel();
    signal.addEventListener('abort', cancel);
    this.#tick(sender);
    this.#handle(sender.offer());
    try {
      await done;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async receive(message: TransferMessage): Promise<void> {
    if (message.kind === 'snapshot-offer' || message.kind === 'snapshot-chunk') {
      for (const effect of await this.#parts.receiver.receive(message)) await this.#take(effect);
      return;
    }
    const shipment = this.#shipments.get(message.from);
    if (shipment !== undefined) this.#handle(await shipment.sender.receive(message));
  }

  async #take(effect: ReceiverEffect): Promise<void> {
    const { machine, receiver, host } = this.#parts;
    if (effect.kind === 'send') host.send(effect.message);
    if (effect.kind !== 'received') return;
    try {
      await machine.adopt(effect.request.snapshot, effect.directory, effect.files);
      host.deliver(effect.request);
    } finally {
      // It may fail as anything may on a disk that has failed; the next snapshot removes what is left.
      await receiver.release().catch(() => undefined);
    }
  }

  #handle(effects: readonly SenderEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') {
        this.#parts.host.send(effect.message);
        continue;
      }
      const shipment = this.#shipments.get(effect.to);
      this.#shipments.delete(effect.to);
      if (effect.kind === 'delivered') shipment?.resolve();
      else shipment?.reject(new Error(`the snapshot was not delivered: ${effect.reason}`));
    }
  }

  #tick(sender: SnapshotSender): void {
    this.#parts.clock.setTimer(this.#parts.tickMs, () => {
      if (sender.isOver) return;
      this.#handle(sender.tick());
      this.#tick(sender);
    });
  }
}
