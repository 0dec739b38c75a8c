/** What clients propose: a number of their own, so that each proposal is found again wherever it ended up, and a key that it writes. */

import { ByteReader, ByteWriter } from '@kayadb/codec';

export interface Command {
  /** Unique within a run. From 1 on. */
  readonly id: number;
  readonly key: number;
  /** Bytes that make it longer. */
  readonly padding: number;
}

const HEADER_BYTES = 5;

export function encodeCommand({ id, key, padding }: Command): Uint8Array {
  return new ByteWriter(HEADER_BYTES + padding).u32(id).u8(key).bytes(new Uint8Array(padding).fill(key)).finish();
}

export function decodeCommand(data: Uint8Array): Command {
  const reader = new ByteReader(data);
  return { id: reader.u32('id'), key: reader.u8('key'), padding: data.length - HEADER_BYTES };
}
