/** Both ends of a node's snapshot transfers: the files of its state machine to others, and theirs to it. */

import { crc32c } from '@kayadb/codec';
import {
  type PinnedSnapshot,
  RaftError,
  type ReceiverEffect,
  type Snapshot,
  type SnapshotReceiver,
  type SnapshotRequest,
  type SnapshotShipper,
  type TransferMessage,
  TransferShipper,
} from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import type { ProcessClock } from '../world/process-gate.ts';
import type { SimMachine } from './sim-machine.ts';

export interface CourierHost {
  send(message: TransferMessage): void;
  /** Its files are where the state machine finds them. */
  deliver(request: SnapshotRequest): void;
}

export interface CourierParts {
  readonly machine: SimMachine;
  readonly receiver: SnapshotReceiver;
  readonly clock: ProcessClock;
  readonly random: SeededRandom;
  readonly tickMs: number;
  readonly host: CourierHost;
}

const CHUNK_BYTES = 64;
const WINDOW_BYTES = 160;
const RETRY_TICKS = 3;
const MAX_RETRIES = 4;

export class SnapshotCourier implements SnapshotShipper {
  readonly #parts: CourierParts;
  readonly #shipper: TransferShipper;
  #underWay = 0;
  #isTicking = false;

  constructor(parts: CourierParts) {
    this.#parts = parts;
    this.#shipper = new TransferShipper({
      source: { pin: ({ meta }) => this.#pin(meta) },
      send: (message) => parts.host.send(message),
      random: (limit) => parts.random.int(limit),
      chunkBytes: CHUNK_BYTES,
      windowBytes: WINDOW_BYTES,
      retryTicks: RETRY_TICKS,
      maxRetries: MAX_RETRIES,
    });
  }

  async ship(request: SnapshotRequest, signal: AbortSignal): Promise<void> {
    this.#underWay++;
    if (!this.#isTicking) this.#tickLater();
    try {
      await this.#shipper.ship(request, signal);
    } finally {
      this.#underWay--;
    }
  }

  /** @throws What ends the process. */
  async receive(message: TransferMessage): Promise<void> {
    if (message.kind === 'snapshot-offer' || message.kind === 'snapshot-chunk') {
      for (const effect of await this.#parts.receiver.receive(message)) await this.#take(effect);
    } else await this.#shipper.receive(message);
  }

  async #pin({ index }: Snapshot['meta']): Promise<PinnedSnapshot> {
    const contents = await this.#parts.machine.readSnapshot(index);
    return {
      files: contents.map((bytes, at) => ({ name: `part-${at}`, bytes: bytes.length, crc: crc32c(bytes) })),
      read: async (file, buffer, offset) => {
        const part = contents[file]!.subarray(offset, offset + buffer.length);
        buffer.set(part);
        return part.length;
      },
      unpin: () => {},
    };
  }

  async #take(effect: ReceiverEffect): Promise<void> {
    const { machine, receiver, host } = this.#parts;
    if (effect.kind === 'send') host.send(effect.message);
    // What it has on disk is not known any more: the node is to start again.
    if (effect.kind === 'refused' && isPoisoned(effect.cause)) throw effect.cause;
    if (effect.kind !== 'received') return;
    try {
      await machine.adopt(effect.request.snapshot, effect.directory, effect.files);
      host.deliver(effect.request);
    } finally {
      // It may fail as anything may on a disk that has failed; the next snapshot removes what is left.
      await receiver.release().catch(() => undefined);
    }
  }

  /** Time goes by for as long as anything is under way. */
  #tickLater(): void {
    this.#isTicking = this.#underWay > 0;
    if (!this.#isTicking) return;
    this.#parts.clock.setTimer(this.#parts.tickMs, () => {
      this.#shipper.tick();
      this.#tickLater();
    });
  }
}

function isPoisoned(cause: unknown): boolean {
  return cause instanceof RaftError && cause.code === 'KAYA_RAFT_POISONED';
}
