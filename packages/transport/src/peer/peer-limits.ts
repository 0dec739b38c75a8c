/** Every bound of links between nodes, with its default. */

import type { ListenerLimits } from '../limits.ts';

export interface PeerLinkLimits {
  /** Bound: normal frames that wait, and their bytes. One frame alone may be larger. */
  readonly maxFrames: number;
  readonly maxBytes: number;
  /** Bound: urgent frames that wait, and their bytes. */
  readonly maxUrgentFrames: number;
  readonly maxUrgentBytes: number;
  /** Bytes that the connection holds at most beside one frame: what an urgent frame may have to wait for. */
  readonly windowBytes: number;
  /** How long looking up, connecting and TLS may take together. */
  readonly dialMs: number;
  /** How long the answer to the greeting may take. */
  readonly greetingMs: number;
  /** The first wait before another attempt; it doubles up to the longest. */
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
  /** The wait after a refusal that nothing but an operator or a change of the group will lift. */
  readonly slowRetryMs: number;
  /** A peer that is written to and not heard for this long: the connection is given up for a new one. 0: never. */
  readonly silenceMs: number;
  /** How long `close` may take to send what waits. */
  readonly closeMs: number;
}

/** Retries end well within an election timeout of a peer's return. Silence is several election timeouts. */
export const DEFAULT_PEER_LINK_LIMITS: PeerLinkLimits = {
  maxFrames: 4096,
  maxBytes: 64 * 1024 * 1024,
  maxUrgentFrames: 256,
  maxUrgentBytes: 1024 * 1024,
  windowBytes: 256 * 1024,
  dialMs: 3_000,
  greetingMs: 5_000,
  minRetryMs: 50,
  maxRetryMs: 1_000,
  slowRetryMs: 5_000,
  silenceMs: 3_000,
  closeMs: 1_000,
};

export interface PeerAcceptorLimits {
  /** Bound: the length field of a frame. */
  readonly maxFrameBytes: number;
  /** From the connection to the verdict: KAYA_HANDSHAKE_TIMEOUT. */
  readonly greetingMs: number;
  /** Bound: connections without a verdict; the oldest gives way. */
  readonly maxGreetings: number;
}

export const DEFAULT_PEER_ACCEPTOR_LIMITS: PeerAcceptorLimits = {
  maxFrameBytes: 64 * 1024 * 1024,
  greetingMs: 10_000,
  maxGreetings: 64,
};

/** For a listener that nodes dial: who was let in may be silent for as long as it has nothing to say. */
export const PEER_LISTENER_LIMITS: Partial<ListenerLimits> = { idleMs: 0 };
