/** Both ends of a snapshot's transfer, and a snapshot in memory, for tests. Every message goes through its encoding. */

import { crc32c } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';
import { MemoryFileSystem } from '@kayadb/vfs/testing';

import type { SnapshotRequest } from '../src/core/message.ts';
import { type ReceiverEffect, SnapshotReceiver } from '../src/node/snapshot-receiver.ts';
import { type SenderEffect, SnapshotSender, type SnapshotSenderOptions } from '../src/node/snapshot-sender.ts';
import type { PinnedSnapshot } from '../src/node/snapshot-source.ts';
import type { RaftIdentity } from '../src/storage/raft-identity.ts';
import { decodeTransferMessage } from '../src/wire/decode-transfer-message.ts';
import { encodeTransferMessage } from '../src/wire/encode-transfer-message.ts';
import type { SnapshotFile, TransferMessage } from '../src/wire/transfer-message.ts';

export const GROUP_FOLDER = '/group';
export const IDENTITY: RaftIdentity = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 1 };

export type Contents = readonly (readonly [name: string, bytes: Uint8Array])[];

/** Of sizes around a chunk of 16 bytes, one of them empty. */
export const CONTENTS: Contents = (
  [
    ['000004.sst', 40],
    ['000006.sst', 0],
    ['000009.sst', 16],
    ['CURRENT', 5],
  ] as const
).map(([name, size]) => [name, Uint8Array.from({ length: size }, (_, i) => size + i)]);

/** The snapshot of node 1 for node 3. */
export function requestOf(index: number, term = 5): SnapshotRequest {
  const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const snapshot = { meta: { index, term: 4, configuration }, data: Uint8Array.of(index) };
  return { kind: 'snapshot', from: 1, to: 3, term, snapshot };
}

export class MemorySnapshot implements PinnedSnapshot {
  readonly files: readonly SnapshotFile[];
  readonly #contents: Contents;
  pins = 1;
  /** What the file holds may be another thing than what it promises. */
  readFrom: (file: number) => Uint8Array;

  constructor(contents: Contents = CONTENTS) {
    this.#contents = contents;
    this.files = contents.map(([name, bytes]) => ({ name, bytes: bytes.length, crc: crc32c(bytes) }));
    this.readFrom = (file) => this.#contents[file]![1];
  }

  async read(file: number, buffer: Uint8Array, offset: number): Promise<number> {
    const part = this.readFrom(file).subarray(offset, offset + buffer.length);
    buffer.set(part);
    return part.length;
  }

  unpin(): void {
    this.pins--;
  }
}

export async function openDisk(capacityBytes?: number): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem(capacityBytes === undefined ? {} : { capacityBytes });
  await disk.makeDirectory(GROUP_FOLDER);
  await disk.syncDirectory('/');
  return disk;
}

export function openReceiver(fs: FileSystem, checkpointBytes = 24): SnapshotReceiver {
  return new SnapshotReceiver({ fs, directory: GROUP_FOLDER, identity: IDENTITY, windowBytes: 48, checkpointBytes });
}

export function openSender(options: Partial<SnapshotSenderOptions> = {}): SnapshotSender {
  return new SnapshotSender({
    request: requestOf(11),
    pinned: new MemorySnapshot(),
    transfer: 77,
    chunkBytes: 8,
    retryTicks: 3,
    maxRetries: 5,
    ...options,
  });
}

/** As it arrives at the other node. */
export function overTheWire<Message extends TransferMessage>(message: Message): Message {
  return decodeTransferMessage(Uint8Array.from(encodeTransferMessage(message).subarray(4))) as Message;
}

type ToReceiver = Extract<TransferMessage, { kind: 'snapshot-offer' | 'snapshot-chunk' }>;

export function isForReceiver(message: TransferMessage): message is ToReceiver {
  return message.kind === 'snapshot-offer' || message.kind === 'snapshot-chunk';
}

export function sentBy(effects: readonly (SenderEffect | ReceiverEffect)[]): TransferMessage[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [overTheWire(effect.message)] : []));
}

/** How many messages it takes until a window is full: up to the middle of the third file of `CONTENTS`. */
export const FIRST_WINDOW = 8;

/** Carries messages until nobody says anything, or so many were carried. @returns What both ends told besides. */
export async function converse(
  sender: SnapshotSender,
  receiver: SnapshotReceiver,
  maxMessages = Infinity,
): Promise<Exclude<SenderEffect | ReceiverEffect, { kind: 'send' }>[]> {
  const events: Exclude<SenderEffect | ReceiverEffect, { kind: 'send' }>[] = [];
  const inFlight: TransferMessage[] = [];
  let effects: readonly (SenderEffect | ReceiverEffect)[] = sender.offer();
  for (let carried = 0; ; carried++) {
    inFlight.push(...sentBy(effects));
    for (const effect of effects) if (effect.kind !== 'send') events.push(effect);
    const message = inFlight.shift();
    if (message === undefined || carried === maxMessages) return events;
    effects = isForReceiver(message) ? await receiver.receive(message) : await sender.receive(message);
  }
}

/** The files that were handed over. */
export async function filesIn(fs: FileSystem, folder: string): Promise<Contents> {
  const names = (await fs.readDirectory(folder)).map(({ name }) => name);
  return await Promise.all(names.map(async (name) => [name, await fs.readFile(`${folder}/${name}`)] as const));
}
