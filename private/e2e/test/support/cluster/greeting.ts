/** Greetings of the handshake between nodes, built and read by themselves after docs/format/peer-handshake.md, so that a fault of the program on both sides is seen. */

import { crc32c } from '@kayadb/codec';

const MAGIC = 'KAYAPEER';
const HEAD_BYTES = 90;
const VERDICT_OFFSET = 15;

const VERDICTS = [
  'accepted',
  'other-cluster',
  'no-member',
  'other-node',
  'no-common-version',
  'other-directory',
  'set-back',
  'removed',
  'no-cluster',
] as const;

export interface GreetingFields {
  /** 32 hex digits. */
  readonly cluster: string;
  readonly sender: number;
  readonly addressee: number;
  readonly incarnation: number;
  /** Lowest and highest. Default: 1 and 1. */
  readonly versions?: readonly [number, number];
}

export function encodeGreeting(fields: GreetingFields): Uint8Array {
  const [lowest, highest] = fields.versions ?? [1, 1];
  const bytes = Buffer.alloc(HEAD_BYTES + 3 + 4);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt16LE(bytes.length - 10, 8);
  bytes.writeUInt16LE(lowest, 10);
  bytes.writeUInt16LE(highest, 12);
  bytes.write(fields.cluster, 16, 'hex');
  for (const [offset, value] of [
    [32, fields.sender],
    [40, fields.addressee],
    [48, fields.incarnation],
    [56, 1],
    [64, 7],
  ] as const) {
    bytes.writeBigUInt64LE(BigInt(value), offset);
  }
  bytes.writeUInt16LE(1, 88);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** The name of the verdict of an answer, or that there is none. */
export function verdictOf(answer: Uint8Array): string {
  if (answer.length < HEAD_BYTES || Buffer.from(answer.subarray(0, 8)).toString() !== MAGIC) return 'no answer';
  return VERDICTS[answer[VERDICT_OFFSET]!] ?? `verdict ${answer[VERDICT_OFFSET]}`;
}
