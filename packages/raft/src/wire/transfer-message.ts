/**
 * What two nodes say to each other while one sends the other the files of a snapshot. The rules are those of
 * docs/format/raft-snapshot-transfer.md.
 */

import type { NodeId, Snapshot, Term } from '../core/types.ts';
import { MAX_SNAPSHOT_FILES } from './frame-format.ts';

/** One file of a snapshot. Never changed while the snapshot is pinned. */
export interface SnapshotFile {
  /** Unique within its snapshot; see `isSnapshotFileName`. */
  readonly name: string;
  readonly bytes: number;
  /** CRC-32C of the whole file. */
  readonly crc: number;
}

interface OfTransfer {
  readonly from: NodeId;
  readonly to: NodeId;
  /** Chosen by the sender at random, once for each snapshot that it sends. */
  readonly transfer: number;
}

interface InRound extends OfTransfer {
  /** From 1 on. A sender that begins again begins a round, and what is left of earlier ones is ignored. */
  readonly round: number;
}

/** A place in the files of a snapshot, one after the other. */
export interface TransferPosition {
  /** Position in the list of files; its length at the end. */
  readonly file: number;
  /** Below the file's size; 0 at the end. */
  readonly offset: number;
}

/** "May I send this, and from where?" Also sent again whenever the sender does not know how far the receiver has come. */
export interface SnapshotOffer extends InRound {
  readonly kind: 'snapshot-offer';
  readonly term: Term;
  readonly snapshot: Snapshot;
  /** Ascending by name. */
  readonly files: readonly SnapshotFile[];
}

export interface SnapshotChunk extends InRound, TransferPosition {
  readonly kind: 'snapshot-chunk';
  /** CRC-32C of `data`. */
  readonly crc: number;
  readonly data: Uint8Array;
}

/** "I have everything before this." */
export interface SnapshotPosition extends InRound, TransferPosition {
  readonly kind: 'snapshot-position';
  /** How many bytes the sender may send from here on. */
  readonly windowBytes: number;
  /** Whether what came of this round behind it was dropped: the sender is to begin a round here. */
  readonly isRewind: boolean;
}

/**
 * - `unknown`: the receiver knows of no such transfer; offer it again.
 * - `older`: a newer snapshot is on its way.
 * - `busy`: another snapshot is there, and its files are in use.
 * - `no-room`: the disk is full.
 * - `storage`: the receiver's disk failed.
 * - `checksum`: a file came several times and never had its checksum.
 * - `overrun`: the sender sent far more than it may.
 */
export type RefusalReason = 'unknown' | 'older' | 'busy' | 'no-room' | 'storage' | 'checksum' | 'overrun';

export interface SnapshotRefusal extends InRound {
  readonly kind: 'snapshot-refusal';
  readonly reason: RefusalReason;
}

/** Every file is there, verified and durable. */
export interface SnapshotDone extends OfTransfer {
  readonly kind: 'snapshot-done';
}

/** What the end with the snapshot says; the other end says the rest. */
export type SenderMessage = SnapshotOffer | SnapshotChunk;

export type TransferMessage = SnapshotOffer | SnapshotChunk | SnapshotPosition | SnapshotRefusal | SnapshotDone;

/** Bound: a name has at most `MAX_SNAPSHOT_FILE_NAME_BYTES` characters. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export function isSenderMessage(message: TransferMessage): message is SenderMessage {
  return message.kind === 'snapshot-offer' || message.kind === 'snapshot-chunk';
}

/** Whether `name` is safe to be given to a file: ASCII letters, digits, `.`, `_` and `-`, the first a letter or a digit. */
export function isSnapshotFileName(name: string): boolean {
  return FILE_NAME.test(name);
}

/** Why a list of files cannot be sent; `undefined` when it can. */
export function findFileListFlaw(files: readonly SnapshotFile[]): string | undefined {
  if (files.length > MAX_SNAPSHOT_FILES)
    return `it has ${files.length} files, and at most ${MAX_SNAPSHOT_FILES} can be`;
  let total = 0;
  let last = '';
  for (const { name, bytes, crc } of files) {
    if (!isSnapshotFileName(name)) return `${JSON.stringify(name)} is no name for a file of a snapshot`;
    if (name <= last) return `${name} comes behind ${last}; names are to ascend`;
    total += bytes;
    if (!Number.isSafeInteger(total) || bytes < 0) return `${name} has ${bytes} bytes`;
    if (bytes === 0 && crc !== 0) return `${name} has no bytes, and a checksum`;
    last = name;
  }
  return undefined;
}
