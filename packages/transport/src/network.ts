/**
 * The seam under every byte that leaves the process: listeners, connections, and where they come from.
 * `nodeNetwork` is TCP; `@kayadb/transport/testing` has the in-memory twin with the same promises.
 */

import type { ConnectionLimits, ListenerLimits } from './limits.ts';
import type { ConnectionTls, ExpectedIdentity } from './tls/peer-identity.ts';
import type { SecureIdentity, TlsVersion } from './tls/secure-identity.ts';
import type { TransportError } from './transport-error.ts';

/** One end of a connection. `host` is a numeric address for a connection that exists. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * An ordered, reliable byte stream in both directions.
 *
 * Bytes that arrive before `onData` was called are kept, not lost. After `closed` has resolved no handler runs any more.
 */
export interface Connection {
  readonly remoteAddress: Endpoint;
  /** What TLS has found out; `undefined` on a plain connection. */
  readonly tls?: ConnectionTls | undefined;
  /** False from the first `close`, `destroy` or failure on. */
  readonly isOpen: boolean;
  /** Bytes given to `send` that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Resolves once, when the connection has ended: with `undefined` after `close()` by this side or the orderly end of
   * the other, with the reason otherwise. Never rejects.
   */
  readonly closed: Promise<TransportError | undefined>;
  /**
   * Queues bytes; all that is sent in one turn of the event loop goes out together. Does nothing once `isOpen` is false.
   *
   * Keeps `bytes` until they are written: they must not change any more. Bound: `maxBufferedBytes`; going over it
   * destroys the connection with KAYA_SEND_OVERFLOW, so await `drained()` when `bufferedBytes` has grown.
   */
  send(bytes: Uint8Array): void;
  /** Resolves when `bufferedBytes` is at most `resumeSendBytes`, or when the connection has ended. Never rejects. */
  drained(): Promise<void>;
  /** Sets the one receiver of plain Uint8Arrays. It may keep them: they are never written to again. It must not throw. */
  onData(receiver: (chunk: Uint8Array) => void): void;
  /** Sets what happens when the other side will send nothing more. Without it, the connection closes itself. */
  onEnd(receiver: () => void): void;
  /** The receiver is not called again until `resume()`; the other side is slowed down through TCP's window. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then ends the connection. Idempotent. Resolves when `closed` has. */
  close(): Promise<void>;
  /** Ends the connection at once and drops what is queued. Idempotent. */
  destroy(reason?: TransportError): void;
}

/** How many connections a listener has seen; each only grows, except `open` and `handshaking`. Open ones may be handshaking. */
export interface ListenerCounts {
  readonly open: number;
  readonly accepted: number;
  /** Closed at once because of `maxConnections`. */
  readonly refusedTotal: number;
  /** Closed at once because of `maxConnectionsPerAddress`. */
  readonly refusedPerAddress: number;
  /** TLS handshakes that have begun and not finished. */
  readonly handshaking: number;
  /** TLS handshakes that came to nothing, whatever the reason. */
  readonly failedHandshakes: number;
}

export interface Listener {
  /** Where it listens, with the real port if 0 was asked for. */
  readonly address: Endpoint;
  readonly counts: ListenerCounts;
  /** Stops accepting and frees the port. Connections that were handed out stay open: they belong to who received them. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** TLS of a listener. */
export interface ListenTls {
  /** Requires: has a certificate. */
  readonly identity: SecureIdentity;
  /** Default TLSv1.3. */
  readonly minVersion?: TlsVersion;
  /** Whether who dials must show a certificate of a CA of `identity`, which must have one then. */
  readonly requiresPeerCertificate?: boolean;
}

/** TLS of a dial. */
export interface DialTls {
  /** Its CA is trusted; its certificate is shown if it is asked for. */
  readonly identity: SecureIdentity;
  /**
   * Who must answer; the host that is dialed, by default. With a pin in place of a name and no CA in `identity`, the pinned key is trusted
   * whoever signed it; with a CA, both are checked.
   */
  readonly expected?: ExpectedIdentity;
  /** Default TLSv1.3. */
  readonly minVersion?: TlsVersion;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  readonly limits?: Partial<ListenerLimits>;
  /** Without it, connections are in clear. */
  readonly tls?: ListenTls | undefined;
  /** A TLS handshake came to nothing: for logs and counters. The connection is over. It must not throw. */
  readonly onHandshakeFailed?: (error: TransportError, from: Endpoint) => void;
  /** Owns the connection from here on. It must not throw. */
  readonly onConnection: (connection: Connection) => void;
}

export interface DialOptions {
  /** A numeric address or a name to look up. */
  readonly host: string;
  readonly port: number;
  /** Without it, the connection is in clear. */
  readonly tls?: DialTls | undefined;
  /** Bound: how long looking up, connecting and TLS may take together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<ConnectionLimits>;
}

export interface Network {
  /** @throws TransportError KAYA_LISTEN_FAILED, with the system's reason as `cause`. */
  listen(options: ListenOptions): Promise<Listener>;
  /**
   * @throws TransportError KAYA_DIAL_FAILED, KAYA_DIAL_TIMEOUT or KAYA_DIAL_ABORTED; with TLS also KAYA_TLS_HANDSHAKE, and KAYA_TLS_UNTRUSTED
   * when it is not who was expected.
   */
  dial(options: DialOptions): Promise<Connection>;
}
