/** Every bound of a node that a client can meet, with its default. docs/reference/server.md explains them. */

import { MAX_FRAME_BYTES, MAX_SCAN_ITEMS, MAX_UNAUTHENTICATED_FRAME_BYTES, SCAN_IDLE_MS } from '@kayadb/codec';

export interface ServerLimits {
  /** Bound: open connections in all. More are closed at once. */
  readonly maxConnections: number;
  /** Bound: open connections from one address. More are closed at once. */
  readonly maxConnectionsPerAddress: number;
  /** The last connections, kept for operators: on them only hello, health, stats and membership are served. */
  readonly reservedConnections: number;
  /** A connection that sends nothing for this long at its start is closed. */
  readonly firstByteMs: number;
  /** A frame must be complete this long after its first byte; time during which the node does not read is not counted. */
  readonly frameMs: number;
  /** A connection on which nothing moves for this long is closed. */
  readonly idleMs: number;
  /** A connection that takes no byte of an answer for this long is closed. */
  readonly writeStallMs: number;
  /** Bound: length field of a frame. */
  readonly maxFrameBytes: number;
  /** Bound: the same, on a connection that has shown no valid credential, when a client token is configured. */
  readonly maxStrangerFrameBytes: number;
  /** Bound: requests of one connection that are being worked on or wait to be answered. */
  readonly maxInFlightRequests: number;
  /** Bound: bytes of those requests and their answers; one request alone may go over it. */
  readonly maxInFlightBytes: number;
  /** From this many bytes held for all connections on, those that have a request in flight are not read from. */
  readonly softTotalBytes: number;
  /** Bound: at this many a connection that brings more bytes is closed. */
  readonly hardTotalBytes: number;
  /** Bound: items of one scan answer. */
  readonly maxScanItems: number;
  /** Bound: scans that collect their answer at the same time; more wait. */
  readonly maxConcurrentScans: number;
  /** Bound: gets that hold or fetch a value at the same time; more wait. */
  readonly maxConcurrentGets: number;
  /** Bound: pages of scans, and gets of many keys, that are read at the same time; more wait. */
  readonly maxConcurrentPages: number;
  /** Bound: scans of protocol 2 that are open on one connection. More are refused. */
  readonly maxScansPerConnection: number;
  /** Bound: the same in all. Each holds a state of the store. */
  readonly maxScans: number;
  /** A scan that is asked for no page for this long is ended; time during which the client takes the last one is not counted. */
  readonly scanIdleMs: number;
  /** Bound: addresses whose failed attempts are remembered. */
  readonly maxRememberedAddresses: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxConnections: 1_024,
  maxConnectionsPerAddress: 256,
  reservedConnections: 16,
  firstByteMs: 10_000,
  frameMs: 30_000,
  idleMs: 300_000,
  writeStallMs: 30_000,
  maxFrameBytes: MAX_FRAME_BYTES,
  maxStrangerFrameBytes: MAX_UNAUTHENTICATED_FRAME_BYTES,
  maxInFlightRequests: 1_024,
  maxInFlightBytes: 16 * MIB,
  softTotalBytes: 256 * MIB,
  hardTotalBytes: 512 * MIB,
  maxScanItems: MAX_SCAN_ITEMS,
  maxConcurrentScans: 4,
  maxConcurrentGets: 32,
  maxConcurrentPages: 4,
  maxScansPerConnection: 64,
  maxScans: 1_024,
  scanIdleMs: SCAN_IDLE_MS,
  maxRememberedAddresses: 4_096,
};

/** Bound: how much of its answers a connection that has taken most of them may have left, and be counted with while nothing happens on it. */
const MAX_LEFT_BYTES = 64 * 1024;

/** At how many bytes that were not taken a connection counts as drained. Well below where it stops, or it would wait for a drain that has happened already. */
export function drainedBytes({ maxInFlightBytes }: ServerLimits): number {
  return Math.min(MAX_LEFT_BYTES, Math.floor(maxInFlightBytes / 16));
}

/**
 * The defaults with `changes`. A small `maxConnections` keeps fewer connections for operators: at most one in eight.
 *
 * @throws RangeError for a bound that is not a positive integer (`reservedConnections` may be 0).
 */
export function resolveLimits(changes: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...DEFAULT_SERVER_LIMITS, ...changes };
  for (const [name, value] of Object.entries(limits)) {
    const least = name === 'reservedConnections' || name.endsWith('Ms') ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`limit ${name} must be an integer of at least ${least}, got ${String(value)}`);
    }
  }
  const reservedConnections = Math.min(limits.reservedConnections, Math.floor(limits.maxConnections / 8));
  return { ...limits, reservedConnections };
}
