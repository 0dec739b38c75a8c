/** A client without manners: sends any bytes, and reads whole answers in the order in which they come. */

import {
  decodeResponse,
  encodeRequest,
  FrameDecoder,
  type Request,
  type RequestKind,
  type Response,
} from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import type { Connection, TransportError } from '@kayadb/transport';

export class RawClient {
  readonly connection: Connection;
  readonly #decoder = new FrameDecoder();
  readonly #frames: Uint8Array[] = [];
  readonly #waiting: (() => void)[] = [];
  #isOver = false;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.onData((chunk) => this.#handleData(chunk));
    void this.#watchEnd();
  }

  get closed(): Promise<TransportError | undefined> {
    return this.connection.closed;
  }

  /** Answers that have come and were not read. */
  get unread(): number {
    return this.#frames.length;
  }

  send(...requests: readonly Request[]): void {
    for (const request of requests) this.connection.send(encodeRequest(request));
  }

  sendBytes(bytes: Uint8Array): void {
    this.connection.send(bytes);
  }

  /** The next answer. Rejects when the connection ends first. */
  async next(kind: RequestKind): Promise<Response> {
    while (this.#frames.length === 0) {
      if (this.#isOver) throw new Error('the connection ended before the answer');
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    return decodeResponse(kind, this.#frames.shift()!);
  }

  request(request: Request): Promise<Response> {
    this.send(request);
    return this.next(request.kind);
  }

  /** What the node does next, without waiting for it: what has come when nothing moves any more. */
  async unreadWhenSettled(): Promise<number> {
    await settle();
    return this.unread;
  }

  #handleData(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) this.#frames.push(frame);
    this.#wake();
  }

  async #watchEnd(): Promise<void> {
    await this.connection.closed;
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
