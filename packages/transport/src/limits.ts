/** Every bound of a connection and a listener, with its default. A time limit of 0 is off. */

export interface ConnectionLimits {
  /** Bound: bytes waiting to be sent; going over it ends the connection with KAYA_SEND_OVERFLOW. */
  readonly maxBufferedBytes: number;
  /** `drained()` resolves at or below this many waiting bytes. */
  readonly resumeSendBytes: number;
  /** No byte at all has come this long after the connection was made: KAYA_FIRST_BYTE_TIMEOUT. */
  readonly firstByteMs: number;
  /** No byte went either way for this long: KAYA_CONNECTION_IDLE. */
  readonly idleMs: number;
  /** Bytes wait to be sent and the other side took none for this long: KAYA_WRITE_STALLED. */
  readonly writeStallMs: number;
  /** After `close()`, how long the other side may take to read the rest and end too; then it is cut off. */
  readonly closeMs: number;
}

export interface ListenerLimits extends ConnectionLimits {
  /** Bound: open connections of one listener. */
  readonly maxConnections: number;
  /** Bound: open connections of one listener from one address. */
  readonly maxConnectionsPerAddress: number;
  /** A TLS handshake takes longer than this: KAYA_HANDSHAKE_TIMEOUT. */
  readonly handshakeMs: number;
  /** Bound: TLS handshakes that one listener has begun and not finished; the oldest gives way. */
  readonly maxHandshakes: number;
}

/** Bound: bytes handed to the operating system in one write; also the step in which write progress is noticed. */
export const MAX_WRITE_BYTES = 256 * 1024;

/** Two largest frames fit, so that a finished answer never overflows behind another one. */
const DEFAULT_MAX_BUFFERED_BYTES = 2 * (64 * 1024 * 1024 + 4);

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  maxBufferedBytes: DEFAULT_MAX_BUFFERED_BYTES,
  resumeSendBytes: 1024 * 1024,
  firstByteMs: 10_000,
  idleMs: 300_000,
  writeStallMs: 30_000,
  closeMs: 5_000,
  maxConnections: 1_024,
  maxConnectionsPerAddress: 256,
  handshakeMs: 10_000,
  maxHandshakes: 128,
};

/** For connections this side dialed: the other side may be silent until it is asked something. */
export const DEFAULT_DIAL_LIMITS: ConnectionLimits = {
  maxBufferedBytes: DEFAULT_MAX_BUFFERED_BYTES,
  resumeSendBytes: 1024 * 1024,
  firstByteMs: 0,
  idleMs: 0,
  writeStallMs: 30_000,
  closeMs: 5_000,
};
