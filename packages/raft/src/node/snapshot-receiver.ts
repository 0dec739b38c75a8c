/**
 * The receiving end of a snapshot's transfer: answers each message, and hands the snapshot over when every file is there, verified and durable.
 * Rules: docs/format/raft-snapshot-transfer.md, "The receiver".
 *
 * Invariant: one transfer at a time; nothing that a peer sends makes it throw, and nothing makes it keep more than two windows in memory.
 */

import { assertNever, crc32c } from '@kayadb/codec';
import { type FileSystem, FileSystemError, isDiskFull } from '@kayadb/vfs';

import type { SnapshotRequest } from '../core/message.ts';
import type { LogIndex, NodeId, Snapshot } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import { MAX_CHUNK_BYTES } from '../wire/frame-format.ts';
import type {
  RefusalReason,
  SenderMessage,
  SnapshotChunk,
  SnapshotFile,
  SnapshotOffer,
  TransferMessage,
} from '../wire/transfer-message.ts';
import { SerialQueue } from './serial-queue.ts';
import { SnapshotStaging } from './snapshot-staging.ts';
import { encodeStagedSnapshot, type StagedSnapshot } from './staging-format.ts';

export interface SnapshotReceiverOptions {
  readonly fs: FileSystem;
  /** The folder of the group; it has `snapshot.partial/` in it while a snapshot arrives. */
  readonly directory: string;
  readonly identity: RaftIdentity;
  /** How far a sender may be ahead of what is written. */
  readonly windowBytes?: number;
  /** How much may have to be sent again after a crash; the more, the fewer syncs. */
  readonly checkpointBytes?: number;
}

/** Where the files of a snapshot are that was handed over. */
export interface HeldFiles {
  readonly directory: string;
  readonly files: readonly SnapshotFile[];
}

/**
 * - `send`: to the node that it is addressed to.
 * - `received`: step the core with `request`. The files are in `directory`, verified and durable, until `release` is called: when the state machine has
 *   taken them over, or the core had no use for the snapshot. In front of the answer to the sender.
 * - `refused`: an event; the transfer is over.
 * - `replaced`: an event; an unfinished snapshot has given way to a newer one.
 */
export type ReceiverEffect =
  | { readonly kind: 'send'; readonly message: TransferMessage }
  | {
      readonly kind: 'received';
      readonly request: SnapshotRequest;
      readonly directory: string;
      readonly files: readonly SnapshotFile[];
    }
  | { readonly kind: 'refused'; readonly from: NodeId; readonly reason: RefusalReason; readonly cause: unknown }
  | { readonly kind: 'replaced'; readonly from: NodeId; readonly index: number };

interface Receiving {
  readonly offer: SnapshotOffer;
  round: number;
  /** A rewind was asked for: what is left of the round is of no use. */
  isRewinding: boolean;
  /** How often something was wrong since the last file that was right. */
  faults: number;
}

/** Bound: of one file. A sender whose file has rotted is found out by this. */
const MAX_FAULTS = 3;
const DEFAULT_WINDOW_BYTES = 4 * 1024 * 1024;
const DEFAULT_CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** What a message takes besides its data. */
const MESSAGE_BYTES = 100;

export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  readonly #windowBytes: number;
  readonly #staging: SnapshotStaging;
  readonly #queue = new SerialQueue();
  #queuedBytes = 0;
  #receiving: Receiving | undefined;
  /** Whose folder is being made or taken up: what an earlier process has left is read back, and that takes as long as there is of it. */
  #beginning: SnapshotOffer | undefined;
  /** Handed over and not released. */
  #held: StagedSnapshot | undefined;
  /** The last transfer that was handed over: its sender may not know yet. */
  #doneTransfer: number | undefined;

  constructor(options: SnapshotReceiverOptions) {
    const { fs, directory, identity, checkpointBytes = DEFAULT_CHECKPOINT_BYTES } = options;
    this.#options = options;
    this.#windowBytes = options.windowBytes ?? DEFAULT_WINDOW_BYTES;
    this.#staging = new SnapshotStaging({ fs, directory, identity, checkpointBytes });
  }

  /**
   * Takes a message of another node. Several may be on their way; they are taken in order.
   *
   * Keeps `message` until it resolves.
   *
   * @returns What is to be done, in this order.
   */
  receive(message: SenderMessage): Promise<readonly ReceiverEffect[]> {
    if (message.kind === 'snapshot-offer' && message.transfer === this.#beginning?.transfer) {
      return Promise.resolve([send(this.#notYet(message))]);
    }
    const bytes = bytesOf(message);
    const isOverrun = this.#queuedBytes > 0 && this.#queuedBytes + bytes > 2 * this.#windowBytes + MAX_CHUNK_BYTES;
    // An offer comes again by itself; it may have to wait while the files of an earlier one are read back.
    if (isOverrun) return Promise.resolve(message.kind === 'snapshot-offer' ? [] : refuse(message, 'overrun'));
    this.#queuedBytes += bytes;
    return this.#queue.run(async () => {
      try {
        return message.kind === 'snapshot-offer' ? await this.#takeOffer(message) : await this.#takeChunk(message);
      } catch (error) {
        return await this.#fail(message, error);
      } finally {
        this.#queuedBytes -= bytes;
      }
    });
  }

  /**
   * For a start: takes back the files of a snapshot that an earlier process was handed and did not release, so that they are held again.
   *
   * @param snapshot - The one that the storage of the log has.
   * @returns `undefined` unless all of its files are here and are right.
   * @throws FileSystemError; RaftError KAYA_RAFT_POISONED
   */
  reclaim(snapshot: Snapshot): Promise<HeldFiles | undefined> {
    return this.#queue.run(async () => {
      const staged = await this.#staging.peek();
      if (staged === undefined || !this.#isSame({ ...staged, snapshot }, staged)) return undefined;
      await this.#staging.begin(staged);
      if (!this.#staging.isComplete) return undefined;
      this.#held = staged;
      return { directory: this.#staging.filesFolder, files: staged.files };
    });
  }

  /**
   * The files of the snapshot that was handed over are not needed any more, whatever became of it; removes what is left of them.
   *
   * @throws FileSystemError when they could not be removed: the next snapshot removes them.
   */
  async release(): Promise<void> {
    await this.#queue.run(async () => {
      if (this.#held === undefined) return;
      this.#held = undefined;
      await this.#staging.discard();
    });
  }

  /**
   * Removes what has come of a snapshot that stands for nothing beyond `index`: the log has got there by itself, and nobody will send the rest.
   *
   * @throws FileSystemError when it could not be removed.
   */
  async discardUpTo(index: LogIndex): Promise<void> {
    await this.#queue.run(async () => {
      if (this.#held !== undefined) return;
      const staged = this.#receiving?.offer ?? (await this.#staging.peek());
      if (staged === undefined || staged.snapshot.meta.index > index) return;
      this.#receiving = undefined;
      await this.#staging.discard();
    });
  }

  /** What has come stays, and is taken up when it is offered again. Idempotent. */
  async close(): Promise<void> {
    await this.#queue.run(async () => {
      this.#receiving = undefined;
      await this.#staging.close();
    });
  }

  async #takeOffer(offer: SnapshotOffer): Promise<readonly ReceiverEffect[]> {
    if (offer.transfer === this.#doneTransfer) return [send(doneAnswer(offer))];
    if (this.#held !== undefined) {
      return this.#isSame(this.#held, offer) ? [send(doneAnswer(offer))] : refuse(offer, 'busy');
    }
    const current = this.#receiving;
    if (current?.offer.transfer === offer.transfer) return this.#beginRound(current, offer.round);
    if (current !== undefined && isOlder(offer, current.offer)) return refuse(offer, 'older');
    if (current !== undefined && this.#isSame(current.offer, offer)) {
      this.#receiving = { ...current, offer, round: offer.round, isRewinding: false };
      return this.#answer(offer, false);
    }
    const events: ReceiverEffect[] =
      current === undefined
        ? []
        : [{ kind: 'replaced', from: current.offer.from, index: current.offer.snapshot.meta.index }];
    this.#receiving = undefined;
    await this.#begin(offer);
    if (!(await this.#hasRoom(offer))) {
      await this.#staging.discard();
      return [...events, ...refuse(offer, 'no-room')];
    }
    this.#receiving = { offer, round: offer.round, isRewinding: false, faults: 0 };
    return [...events, ...this.#answer(offer, false)];
  }

  async #begin(offer: SnapshotOffer): Promise<void> {
    this.#beginning = offer;
    try {
      await this.#staging.begin(offer);
    } finally {
      this.#beginning = undefined;
    }
  }

  /** To a sender that asks again meanwhile, and gives up whom it sees no progress of. With a window of nothing it waits, and asks again. */
  #notYet(offer: SnapshotOffer): TransferMessage {
    const { transfer, round } = offer;
    const { position } = this.#staging;
    return { kind: 'snapshot-position', ...back(offer), transfer, round, ...position, windowBytes: 0, isRewind: false };
  }

  #beginRound(current: Receiving, round: number): readonly ReceiverEffect[] {
    if (round <= current.round) return [];
    current.round = round;
    current.isRewinding = false;
    return this.#answer(current.offer, false);
  }

  async #takeChunk(chunk: SnapshotChunk): Promise<readonly ReceiverEffect[]> {
    const current = this.#receiving;
    if (current?.offer.transfer !== chunk.transfer) {
      return chunk.transfer === this.#doneTransfer ? [send(doneAnswer(chunk))] : unknown(chunk);
    }
    if (chunk.round > current.round) {
      current.round = chunk.round;
      current.isRewinding = false;
    }
    if (chunk.round < current.round || current.isRewinding) return [];
    const { file, offset } = this.#staging.position;
    if (chunk.file < file || (chunk.file === file && chunk.offset < offset)) return this.#answer(chunk, false);
    if (chunk.file > file || chunk.offset > offset) return this.#rewind(current, chunk);
    const isWithinFile = offset + chunk.data.length <= current.offer.files[file]!.bytes;
    if (!isWithinFile || crc32c(chunk.data) !== chunk.crc) return await this.#fault(current, chunk);
    if ((await this.#staging.append(chunk.data)) === 'mismatch') return await this.#fault(current, chunk);
    if (this.#staging.position.file > file) current.faults = 0;
    return this.#answer(chunk, false);
  }

  #rewind(current: Receiving, chunk: SnapshotChunk): readonly ReceiverEffect[] {
    current.isRewinding = true;
    return this.#answer(chunk, true);
  }

  async #fault(current: Receiving, chunk: SnapshotChunk): Promise<readonly ReceiverEffect[]> {
    current.faults++;
    if (current.faults < MAX_FAULTS) return this.#rewind(current, chunk);
    this.#receiving = undefined;
    await this.#staging.discard();
    return refuse(chunk, 'checksum');
  }

  /** Says how far it is; at the end, hands the snapshot over first. */
  #answer(to: SenderMessage, isRewind: boolean): readonly ReceiverEffect[] {
    const { offer, round } = this.#receiving!;
    if (!this.#staging.isComplete) {
      const { transfer } = offer;
      const kind = 'snapshot-position';
      const windowBytes = this.#windowBytes;
      return [send({ kind, ...back(to), transfer, round, ...this.#staging.position, windowBytes, isRewind })];
    }
    this.#receiving = undefined;
    this.#held = offer;
    this.#doneTransfer = offer.transfer;
    const { from, to: id, term, snapshot, files } = offer;
    const request: SnapshotRequest = { kind: 'snapshot', from, to: id, term, snapshot };
    return [{ kind: 'received', request, directory: this.#staging.filesFolder, files }, send(doneAnswer(to))];
  }

  async #hasRoom({ files }: SnapshotOffer): Promise<boolean> {
    const { file, offset } = this.#staging.position;
    let missing = -offset;
    for (const { bytes } of files.slice(file)) missing += bytes;
    const { fs, directory } = this.#options;
    return missing <= (await fs.diskSpace(directory)).availableBytes;
  }

  async #fail(message: SenderMessage, error: unknown): Promise<readonly ReceiverEffect[]> {
    const isOfDisk = error instanceof FileSystemError || error instanceof RaftError;
    if (!isOfDisk) throw error;
    this.#receiving = undefined;
    // The log needs the room more than half a snapshot does. What cannot be removed is removed by the next transfer.
    const giveUp = isDiskFull(error) ? this.#staging.discard() : this.#staging.close();
    await giveUp.catch(() => undefined);
    return refuse(message, isDiskFull(error) ? 'no-room' : 'storage', error);
  }

  #isSame(a: StagedSnapshot, b: StagedSnapshot): boolean {
    const { identity } = this.#options;
    return Buffer.compare(encodeStagedSnapshot(a, identity), encodeStagedSnapshot(b, identity)) === 0;
  }
}

/** A later leader knows better; of one leader's snapshots the later is the one that it wants to send. */
function isOlder(offer: SnapshotOffer, current: SnapshotOffer): boolean {
  if (offer.term !== current.term) return offer.term < current.term;
  return offer.snapshot.meta.index < current.snapshot.meta.index;
}

function back({ from, to }: SenderMessage): { readonly from: NodeId; readonly to: NodeId } {
  return { from: to, to: from };
}

function send(message: TransferMessage): ReceiverEffect {
  return { kind: 'send', message };
}

function doneAnswer(to: SenderMessage): TransferMessage {
  return { kind: 'snapshot-done', ...back(to), transfer: to.transfer };
}

/** Not an event: the sender only has to offer it again. */
function unknown(chunk: SnapshotChunk): readonly ReceiverEffect[] {
  return [send(refusalOf(chunk, 'unknown'))];
}

function refuse(message: SenderMessage, reason: RefusalReason, cause?: unknown): readonly ReceiverEffect[] {
  return [{ kind: 'refused', from: message.from, reason, cause }, send(refusalOf(message, reason))];
}

/** The answer that ends a transfer. */
export function refusalOf(message: SenderMessage, reason: RefusalReason): TransferMessage {
  const { transfer, round } = message;
  return { kind: 'snapshot-refusal', ...back(message), transfer, round, reason };
}

function bytesOf(message: SenderMessage): number {
  switch (message.kind) {
    case 'snapshot-offer':
      return MESSAGE_BYTES * (1 + message.files.length) + message.snapshot.data.length;
    case 'snapshot-chunk':
      return MESSAGE_BYTES + message.data.length;
    default:
      return assertNever(message, 'message');
  }
}
