/** NODE as bytes: whose directory it is. Format: docs/format/node.md, "NODE". */

import { crc32c, decodeUtf8Strict, encodeUtf8 } from '@kayadb/codec';
import { CorruptionError, EngineError } from '@kayadb/engine';

export const NODE_FILE = 'NODE';
export const NODE_FORMAT = 1;
/** Bound: a longer file is no NODE. */
export const MAX_NODE_FILE_BYTES = 4096;

export interface NodeIdentity {
  readonly node: number;
  /** Tells this directory from another that the node had before. */
  readonly incarnation: number;
  /** Starts of this directory, from 1. */
  readonly boot: number;
  /** 32 hex digits; undefined until the node is in a cluster. */
  readonly cluster: string | undefined;
  /** The node's log has had an entry: one that is empty was lost, and with it votes and acknowledgements. */
  readonly hasBegun: boolean;
  /** The node has applied its own removal. */
  readonly isRemoved: boolean;
}

const CLUSTER = /^[0-9a-f]{32}$/;

export function encodeNodeFile(identity: NodeIdentity): Uint8Array {
  const { node, incarnation, boot, cluster, hasBegun, isRemoved } = identity;
  const members = {
    format: NODE_FORMAT,
    node,
    incarnation,
    boot,
    ...(cluster !== undefined && { cluster }),
    ...(hasBegun && { begun: true }),
    ...(isRemoved && { removed: true }),
  };
  return encodeUtf8(`${JSON.stringify({ ...members, crc: checksumOf(members) })}\n`);
}

/**
 * @throws CorruptionError unless it is just what `encodeNodeFile` writes.
 * @throws EngineError KAYA_UNSUPPORTED for one that verifies and says another format.
 */
export function decodeNodeFile(bytes: Uint8Array): NodeIdentity {
  const members = parse(bytes);
  const { crc, ...others } = members;
  if (crc !== checksumOf(others)) throw damaged('its CRC does not match');
  const { format, node, incarnation, boot, cluster, begun, removed } = others;
  if (!isCount(format)) throw damaged('its format is no number');
  if (format !== NODE_FORMAT) throw unsupported(format);
  if (!isCount(node) || !isCount(incarnation) || !isCount(boot)) throw damaged('a number is none');
  if (cluster !== undefined && !(typeof cluster === 'string' && CLUSTER.test(cluster))) {
    throw damaged('the cluster is not 32 hex digits');
  }
  const identity = { node, incarnation, boot, cluster, hasBegun: begun === true, isRemoved: removed === true };
  if (Buffer.compare(encodeNodeFile(identity), bytes) !== 0) throw damaged('it is not of the known form');
  return identity;
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const text = bytes.length > MAX_NODE_FILE_BYTES ? undefined : decodeUtf8Strict(bytes);
  if (text === undefined) throw damaged('it is no text');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged('it is no JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged('it is no object');
  return value as Readonly<Record<string, unknown>>;
}

function checksumOf(members: Readonly<Record<string, unknown>>): string {
  return crc32c(encodeUtf8(JSON.stringify(members)))
    .toString(16)
    .padStart(8, '0');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function damaged(what: string, cause?: unknown): CorruptionError {
  return new CorruptionError(
    NODE_FILE,
    0,
    `${what}; remove the node from its group, and add it again with an empty directory`,
    cause === undefined ? {} : { cause },
  );
}

function unsupported(format: number): EngineError {
  return new EngineError(
    'KAYA_UNSUPPORTED',
    `NODE says format ${format}, and this version knows ${NODE_FORMAT}; start the node with the version that wrote it`,
  );
}
