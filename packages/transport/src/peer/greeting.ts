/**
 * The first bytes of each direction of a connection between nodes, as values.
 *
 * Invariant: any bytes give a greeting or a DecodeError. Format: docs/format/peer-handshake.md, "Greeting".
 */

import {
  assert,
  ByteReader,
  ByteWriter,
  crc32c,
  DecodeError,
  decodeUtf8Strict,
  encodeUtf8,
  readU32,
} from '@kayadb/codec';

import {
  CLUSTER_ID_BYTES,
  GREETING_CRC_BYTES,
  GREETING_HEAD_BYTES,
  MAX_GREETING_BYTES,
  MAX_PEER_NODE,
  MAX_TEXT_BYTES,
  PEER_GREETING_MAGIC,
  PEER_STREAM,
  PEER_VERDICT,
  type PeerStream,
  type PeerVerdict,
} from './greeting-format.ts';

/** Versions of the peer protocol, both ends included. */
export interface VersionRange {
  readonly lowest: number;
  readonly highest: number;
}

export interface Greeting {
  readonly versions: VersionRange;
  readonly stream: PeerStream;
  /** `accepted` in a dialer's greeting. */
  readonly verdict: PeerVerdict;
  /** 32 hex digits; `undefined`: none yet. */
  readonly cluster: string | undefined;
  readonly sender: number;
  /** Whom the sender means; in an answer, who greeted. `undefined` only in an answer. */
  readonly addressee: number | undefined;
  /** Of the sender. */
  readonly incarnation: number;
  /** Of the sender. */
  readonly boot: number;
  /** Drawn at random by the sender's process: tells two starts with the same boot apart. */
  readonly start: number;
  /** Of the log of the sender; 0: not known. */
  readonly lastIndex: number;
  /** As the sender knows it; `undefined`: not known. */
  readonly addresseeIncarnation: number | undefined;
  readonly featureLevel: number;
  /** `host:port` for nodes, and for clients; may be empty. At most `MAX_TEXT_BYTES` each. */
  readonly nodeAddress: string;
  readonly clientAddress: string;
  /** Why not, in an answer; for people. */
  readonly reason: string;
}

const MAGIC = encodeUtf8(PEER_GREETING_MAGIC);
const STREAMS = Object.keys(PEER_STREAM) as readonly PeerStream[];
const VERDICTS = Object.keys(PEER_VERDICT) as readonly PeerVerdict[];

/** A `reason` that is too long is cut. Requires: addresses of at most `MAX_TEXT_BYTES`. */
export function encodeGreeting(greeting: Greeting): Uint8Array {
  const { versions, cluster } = greeting;
  const fields = new ByteWriter(256)
    .u16(versions.lowest)
    .u16(versions.highest)
    .u8(PEER_STREAM[greeting.stream])
    .u8(PEER_VERDICT[greeting.verdict])
    .bytes(cluster === undefined ? new Uint8Array(CLUSTER_ID_BYTES) : Buffer.from(cluster, 'hex'))
    .u64(greeting.sender)
    .u64(greeting.addressee ?? 0)
    .u64(greeting.incarnation)
    .u64(greeting.boot)
    .u64(greeting.start)
    .u64(greeting.lastIndex)
    .u64(greeting.addresseeIncarnation ?? 0)
    .u16(greeting.featureLevel);
  writeText(fields, greeting.nodeAddress);
  writeText(fields, greeting.clientAddress);
  writeText(fields, cutText(greeting.reason));
  const writer = new ByteWriter(GREETING_HEAD_BYTES + fields.length + GREETING_CRC_BYTES);
  writer.bytes(MAGIC).u16(fields.length + GREETING_CRC_BYTES);
  const sealed = writer.bytes(fields.finish()).finish();
  return writer.u32(crc32c(sealed)).finish();
}

/**
 * @param bytes - From the magic to the CRC, and nothing else. What is behind the last text is passed over.
 * @throws DecodeError
 */
export function decodeGreeting(bytes: Uint8Array): Greeting {
  const reader = new ByteReader(bytes);
  assertMagic(reader.bytes(MAGIC.length, 'magic'));
  const length = reader.u16('length');
  if (length > MAX_GREETING_BYTES)
    throw new DecodeError(`a greeting of ${length} bytes is over ${MAX_GREETING_BYTES}`, MAGIC.length);
  if (length !== reader.remaining)
    throw new DecodeError(`the length is ${length}, and ${reader.remaining} bytes follow`, MAGIC.length);
  const end = bytes.length - GREETING_CRC_BYTES;
  if (end < GREETING_HEAD_BYTES || crc32c(bytes, 0, 0, end) !== readU32(bytes, end)) {
    throw new DecodeError('the CRC of the greeting is wrong', Math.max(0, end));
  }
  return readFields(new ByteReader(bytes.subarray(0, end), GREETING_HEAD_BYTES));
}

/** The highest version in both ranges. */
export function commonVersion(a: VersionRange, b: VersionRange): number | undefined {
  const highest = Math.min(a.highest, b.highest);
  return highest >= Math.max(a.lowest, b.lowest) ? highest : undefined;
}

/** @throws DecodeError unless `bytes` begin as a greeting does; they may be few. */
export function assertMagic(bytes: Uint8Array): void {
  const at = bytes.findIndex((byte, i) => byte !== MAGIC[i]);
  if (at < 0) return;
  const isTls = bytes[0] === 0x16 || bytes[0] === 0x15;
  throw new DecodeError(
    isTls ? 'what came is TLS, and this side speaks without it' : 'what came is no greeting of a node',
    at,
  );
}

function readFields(reader: ByteReader): Greeting {
  return {
    versions: readVersions(reader),
    stream: readCode(reader, STREAMS, 'stream'),
    verdict: readCode(reader, VERDICTS, 'verdict'),
    cluster: readCluster(reader),
    sender: readNode(reader, 'sender') ?? refuse(reader, 'the sender is nobody'),
    addressee: readNode(reader, 'addressee'),
    incarnation: reader.u64('incarnation') || refuse(reader, 'the incarnation is 0'),
    boot: reader.u64('boot') || refuse(reader, 'the boot is 0'),
    start: reader.u64('start'),
    lastIndex: reader.u64('last index'),
    addresseeIncarnation: reader.u64('incarnation of the addressee') || undefined,
    featureLevel: reader.u16('feature level'),
    nodeAddress: readText(reader, 'address for nodes'),
    clientAddress: readText(reader, 'address for clients'),
    reason: readText(reader, 'reason'),
  };
}

function readVersions(reader: ByteReader): VersionRange {
  const lowest = reader.u16('lowest version');
  const highest = reader.u16('highest version');
  if (lowest === 0 || lowest > highest) refuse(reader, `versions from ${lowest} to ${highest} are no range`);
  return { lowest, highest };
}

/** Codes count from 0 in the order of their names. */
function readCode<Name extends string>(reader: ByteReader, names: readonly Name[], what: string): Name {
  const code = reader.u8(what);
  return names[code] ?? refuse(reader, `there is no ${what} ${code}`);
}

function readCluster(reader: ByteReader): string | undefined {
  const hex = Buffer.from(reader.bytes(CLUSTER_ID_BYTES, 'cluster')).toString('hex');
  return /^0+$/.test(hex) ? undefined : hex;
}

/** `undefined`: 0. */
function readNode(reader: ByteReader, what: string): number | undefined {
  const node = reader.u64(what);
  if (node > MAX_PEER_NODE) refuse(reader, `the ${what} is a thread of a node`);
  return node === 0 ? undefined : node;
}

function readText(reader: ByteReader, what: string): string {
  const bytes = reader.bytes(reader.u8(`length of the ${what}`), what);
  return decodeUtf8Strict(bytes) ?? refuse(reader, `the ${what} is not UTF-8`);
}

function refuse(reader: ByteReader, message: string): never {
  throw new DecodeError(message, reader.offset);
}

function writeText(writer: ByteWriter, text: string): void {
  const bytes = encodeUtf8(text);
  assert(bytes.length <= MAX_TEXT_BYTES, `a text of ${bytes.length} bytes does not fit into a greeting`);
  writer.u8(bytes.length).bytes(bytes);
}

/** Whole characters of at most `MAX_TEXT_BYTES`. */
function cutText(text: string): string {
  let cut = text;
  while (encodeUtf8(cut).length > MAX_TEXT_BYTES) cut = cut.slice(0, -1).replace(/[\uD800-\uDBFF]$/, '');
  return cut;
}
