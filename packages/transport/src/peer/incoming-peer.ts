/**
 * An accepted connection of another node: its stream, cut into frames.
 *
 * Invariant: its receiver is told once that it is over, and gets no frame after that. Format: docs/format/raft-messages.md, "Frames"; what
 * is inside a frame is no business of this package.
 */

import { FrameDecoder } from '@kayadb/codec';

import type { Connection } from '../network.ts';
import type { TransportError } from '../transport-error.ts';
import type { PeerStream } from './greeting-format.ts';
import type { Greeting } from './greeting.ts';
import type { PeerOrigin } from './peer-policy.ts';
import { malformed } from './read-greeting.ts';

export interface PeerReceiver {
  /** One frame without its length field; it may be kept, and must not be changed. Must not throw. */
  handleFrame(frame: Uint8Array): void;
  /**
   * The connection is over: a hint that the node may be, unless the code is KAYA_PEER_REPLACED. `undefined` when the node ended it in order.
   */
  handleClosed(reason: TransportError | undefined): void;
}

export class IncomingPeer {
  readonly node: number;
  readonly stream: PeerStream;
  /** Of the peer protocol. */
  readonly version: number;
  /** What the node said of itself. */
  readonly greeting: Greeting;
  readonly #connection: Connection;
  readonly #decoder: FrameDecoder;
  #receiver: PeerReceiver | undefined;
  #onOver: () => void = () => {};
  #isPaused = false;
  #isDelivering = false;
  #isOver = false;

  constructor(connection: Connection, greeting: Greeting, version: number, maxFrameBytes: number) {
    this.node = greeting.sender;
    this.stream = greeting.stream;
    this.version = version;
    this.greeting = greeting;
    this.#connection = connection;
    this.#decoder = new FrameDecoder({ maxFrameBytes });
  }

  get origin(): PeerOrigin {
    return this.#connection;
  }

  /** Requires: called once. @param onOver - Comes before the receiver is told. */
  start(receiver: PeerReceiver, onOver: () => void): void {
    this.#receiver = receiver;
    this.#onOver = onOver;
    this.#connection.onData((chunk) => {
      this.#decoder.push(chunk);
      this.#deliver();
    });
    void this.#connection.closed.then((reason) => this.#finish(reason));
    if (!this.#isPaused) this.#connection.resume();
  }

  /** No frame comes until `resume`; the node is slowed down through TCP's window. Its end is not noticed meanwhile either. */
  pause(): void {
    this.#isPaused = true;
    this.#connection.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#deliver();
    if (!this.#isPaused && !this.#isOver) this.#connection.resume();
  }

  /** Ends the connection at once; the receiver is told before this returns. Idempotent. */
  destroy(reason: TransportError): void {
    this.#connection.destroy(reason);
    this.#finish(reason);
  }

  /** Ends the connection in order. Idempotent. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (!this.#isPaused && !this.#isOver) {
        const frame = this.#decoder.next();
        if (frame === undefined) break;
        this.#receiver?.handleFrame(frame);
      }
    } catch (cause) {
      this.destroy(malformed(this.#connection, cause));
    } finally {
      this.#isDelivering = false;
    }
  }

  #finish(reason: TransportError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onOver();
    this.#receiver?.handleClosed(reason);
    this.#receiver = undefined;
  }
}
