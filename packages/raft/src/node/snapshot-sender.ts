/**
 * The sending end of a snapshot's transfer: offers the snapshot, then sends as much as the receiver's window lets it.
 * Rules: docs/format/raft-snapshot-transfer.md, "The sender".
 *
 * Invariant: it ends exactly once, with `delivered`, `failed` or `cancel`, and the snapshot is unpinned then, but never while it is read from. It knows no time but `tick`.
 * Bound: one window of bytes on their way; answers that wait while files are read.
 */

import { crc32c } from '@kayadb/codec';

import type { SnapshotRequest } from '../core/message.ts';
import type { NodeId } from '../core/types.ts';
import { MAX_CHUNK_BYTES } from '../wire/frame-format.ts';
import {
  findFileListFlaw,
  type RefusalReason,
  type SnapshotChunk,
  type SnapshotPosition,
  type SnapshotRefusal,
  type TransferMessage,
  type TransferPosition,
} from '../wire/transfer-message.ts';
import { SerialQueue } from './serial-queue.ts';
import type { PinnedSnapshot } from './snapshot-source.ts';

export interface SnapshotSenderOptions {
  readonly request: SnapshotRequest;
  /** Unpinned when it is over. */
  readonly pinned: PinnedSnapshot;
  /** Random, below 2^53. */
  readonly transfer: number;
  readonly chunkBytes?: number;
  /** Bound: bytes on their way, whatever the receiver allows. */
  readonly windowBytes?: number;
  /** How long to wait for any progress before it is offered again. */
  readonly retryTicks: number;
  /** How often it is begun again without progress before it is given up. */
  readonly maxRetries: number;
}

/** Why it was given up: what the receiver said, that it said nothing, or that the files could not be read. */
export type SendFailure = Exclude<RefusalReason, 'unknown'> | 'silent' | 'source';

/** Either of the last two ends it. */
export type SenderEffect =
  | { readonly kind: 'send'; readonly message: TransferMessage }
  | { readonly kind: 'delivered'; readonly to: NodeId }
  | { readonly kind: 'failed'; readonly to: NodeId; readonly reason: SendFailure; readonly cause: unknown };

type Answer = Exclude<TransferMessage, { kind: 'snapshot-offer' | 'snapshot-chunk' }>;

const DEFAULT_CHUNK_BYTES = 256 * 1024;
const DEFAULT_WINDOW_BYTES = 4 * 1024 * 1024;
/** Positions say how far it is, so those that are not looked at are no loss. */
const MAX_WAITING_ANSWERS = 256;

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #chunkBytes: number;
  readonly #maxWindowBytes: number;
  /** Where each file begins, all files taken together, and where the last one ends. */
  readonly #starts: readonly number[];
  readonly #queue = new SerialQueue();
  #waitingAnswers = 0;
  #isReading = false;
  #isOver = false;
  /** Resolves when it is over and the snapshot is unpinned. */
  readonly released: Promise<void>;
  #release: () => void = () => {};
  #round = 0;
  /** Whether the receiver has answered in this round. Nothing is sent before. */
  #isAnswered = false;
  #windowBytes = 0;
  /** These three count bytes of all files taken together: what has arrived, what comes next, and the most that ever had arrived. */
  #arrived = 0;
  #next: TransferPosition = { file: 0, offset: 0 };
  #best = -1;
  #silentTicks = 0;
  #retries = 0;

  /** @throws RangeError for files that cannot be sent. Then they are still pinned. */
  constructor(options: SnapshotSenderOptions) {
    const { chunkBytes = DEFAULT_CHUNK_BYTES, windowBytes = DEFAULT_WINDOW_BYTES, pinned } = options;
    if (chunkBytes < 1 || chunkBytes > MAX_CHUNK_BYTES) {
      throw new RangeError(`a chunk has 1 to ${MAX_CHUNK_BYTES} bytes, not ${chunkBytes}`);
    }
    const flaw = findFileListFlaw(pinned.files);
    if (flaw !== undefined) throw new RangeError(`a snapshot cannot be sent: ${flaw}`);
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
    this.#options = options;
    this.#chunkBytes = chunkBytes;
    this.#maxWindowBytes = windowBytes;
    const starts = [0];
    for (const { bytes } of pinned.files) starts.push(starts.at(-1)! + bytes);
    this.#starts = starts;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Bytes that have arrived, of all. */
  get progress(): { readonly arrivedBytes: number; readonly totalBytes: number } {
    return { arrivedBytes: this.#arrived, totalBytes: this.#starts.at(-1)! };
  }

  /** Offers the snapshot. Also after the connection was lost and is there again. */
  offer(): readonly SenderEffect[] {
    if (this.#isOver) return [];
    const { request, transfer, pinned } = this.#options;
    const { from, to, term, snapshot } = request;
    this.#beginRound();
    const kind = 'snapshot-offer';
    return [send({ kind, from, to, transfer, round: this.#round, term, snapshot, files: pinned.files })];
  }

  /** Time goes by. */
  tick(): readonly SenderEffect[] {
    this.#silentTicks++;
    return this.#silentTicks < this.#options.retryTicks ? [] : this.#retry('silent');
  }

  /**
   * Takes an answer of the receiver. Several may be on their way; they are taken in order.
   *
   * @returns What is to be done: at most a window of chunks.
   */
  receive(answer: Answer): Promise<readonly SenderEffect[]> {
    if (this.#waitingAnswers >= MAX_WAITING_ANSWERS) return Promise.resolve([]);
    this.#waitingAnswers++;
    return this.#queue.run(async () => {
      this.#waitingAnswers--;
      if (this.#isOver || answer.transfer !== this.#options.transfer) return [];
      if (answer.kind === 'snapshot-done') return this.#end({ kind: 'delivered', to: this.#options.request.to });
      if (answer.round !== this.#round) return [];
      return answer.kind === 'snapshot-refusal' ? this.#takeRefusal(answer) : await this.#takePosition(answer);
    });
  }

  /** Sends nothing more; see `released`. Idempotent. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isReading) this.#unpin();
  }

  #unpin(): void {
    this.#options.pinned.unpin();
    this.#release();
  }

  #takeRefusal({ reason }: SnapshotRefusal): readonly SenderEffect[] {
    return reason === 'unknown' ? this.#retry('silent') : this.#giveUp(reason);
  }

  async #takePosition(answer: SnapshotPosition): Promise<readonly SenderEffect[]> {
    const at = this.#bytesBefore(answer);
    if (at === undefined || (this.#isAnswered && at > this.#sentBytes)) return [];
    if (at > this.#best) {
      this.#best = at;
      this.#retries = 0;
      this.#silentTicks = 0;
    }
    if (answer.isRewind) {
      this.#retries++;
      if (this.#retries > this.#options.maxRetries) return this.#giveUp('checksum');
      this.#beginRound();
    }
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.#arrived = at;
      this.#next = { file: answer.file, offset: answer.offset };
    }
    this.#arrived = Math.max(this.#arrived, at);
    this.#windowBytes = Math.min(answer.windowBytes, this.#maxWindowBytes);
    return await this.#fillWindow();
  }

  get #sentBytes(): number {
    return this.#starts[this.#next.file]! + this.#next.offset;
  }

  /** @returns `undefined` for a place that is in no file. */
  #bytesBefore({ file, offset }: TransferPosition): number | undefined {
    const size = this.#options.pinned.files[file]?.bytes;
    return size === undefined || offset >= size ? undefined : this.#starts[file]! + offset;
  }

  async #fillWindow(): Promise<readonly SenderEffect[]> {
    const effects: SenderEffect[] = [];
    const round = this.#round;
    for (;;) {
      const length = this.#nextLength();
      if (length === 0) return effects;
      const { file, offset } = this.#next;
      const data = new Uint8Array(length);
      try {
        await this.#read(file, data, offset);
      } catch (error) {
        return this.#isOver ? [] : this.#giveUp('source', error);
      }
      // What was read for a round that is over, is of no use.
      if (this.#isOver || this.#round !== round) return [];
      effects.push(send(this.#chunk(file, offset, data)));
      this.#next = { file, offset: offset + length };
    }
  }

  async #read(file: number, data: Uint8Array, offset: number): Promise<void> {
    this.#isReading = true;
    try {
      const read = await this.#options.pinned.read(file, data, offset);
      if (read !== data.length) throw new RangeError(`file ${file} of the snapshot ends at ${offset + read}`);
    } finally {
      this.#isReading = false;
      if (this.#isOver) this.#unpin();
    }
  }

  /**
   * Size of the next chunk; 0 when there is nothing more, or no room in the window. Chunks are not cut to what is left of the window: each would be acknowledged by itself, make
   * room for one as small, and all would get smaller from file to file.
   */
  #nextLength(): number {
    const { files } = this.#options.pinned;
    let { file, offset } = this.#next;
    while (file < files.length && offset === files[file]!.bytes) {
      file++;
      offset = 0;
    }
    this.#next = { file, offset };
    if (file === files.length) return 0;
    const length = Math.min(this.#chunkBytes, files[file]!.bytes - offset);
    const onTheirWay = this.#sentBytes - this.#arrived;
    if (onTheirWay + length <= this.#windowBytes) return length;
    return onTheirWay === 0 ? this.#windowBytes : 0;
  }

  #chunk(file: number, offset: number, data: Uint8Array): SnapshotChunk {
    const { request, transfer } = this.#options;
    const { from, to } = request;
    return { kind: 'snapshot-chunk', from, to, transfer, round: this.#round, file, offset, crc: crc32c(data), data };
  }

  #beginRound(): void {
    this.#round++;
    this.#isAnswered = false;
  }

  #retry(failure: SendFailure): readonly SenderEffect[] {
    if (this.#isOver) return [];
    this.#silentTicks = 0;
    this.#retries++;
    return this.#retries > this.#options.maxRetries ? this.#giveUp(failure) : this.offer();
  }

  #giveUp(reason: SendFailure, cause?: unknown): readonly SenderEffect[] {
    return this.#end({ kind: 'failed', to: this.#options.request.to, reason, cause });
  }

  #end(effect: SenderEffect): readonly SenderEffect[] {
    this.cancel();
    return [effect];
  }
}

function send(message: TransferMessage): SenderEffect {
  return { kind: 'send', message };
}
