/** A client of version 2 without manners: says HELLO, then sends any bytes, and keeps answers in the order in which they come. */

import {
  decodeResponse,
  decodeResponse2,
  decodeResponseId2,
  encodeRequest,
  encodeRequest2,
  FrameDecoder,
  type Request2,
  type RequestKind2,
  type Response,
  type Response2,
} from '@kayadb/codec';
import type { Connection, TransportError } from '@kayadb/transport';

export interface Received {
  readonly id: number;
  readonly response: Response2;
}

export interface SendOptions {
  readonly id?: number;
  readonly deadlineMs?: number;
}

export const HELLO_2: Uint8Array = encodeRequest({ kind: 'hello', version: 2 });

export class RawClient2 {
  readonly connection: Connection;
  /** All answers of version 2 that have come. */
  readonly received: Received[] = [];
  hello: Response | undefined;
  readonly #decoder = new FrameDecoder();
  readonly #kinds = new Map<number, RequestKind2>();
  readonly #waiting: (() => void)[] = [];
  #lastId = 100;
  #isOver = false;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.onData((chunk) => this.#handleData(chunk));
    void this.#watchEnd();
    connection.send(HELLO_2);
  }

  get closed(): Promise<TransportError | undefined> {
    return this.connection.closed;
  }

  /** Ids in the order of their answers. */
  get answered(): readonly number[] {
    return this.received.map(({ id }) => id);
  }

  /** @returns Its id. */
  send(request: Request2, { id = ++this.#lastId, deadlineMs = 0 }: SendOptions = {}): number {
    this.#kinds.set(id, request.kind);
    this.connection.send(encodeRequest2({ id, deadlineMs }, request));
    return id;
  }

  /** For requests that are sent as bytes: what the answer to `id` is to be read as. */
  expect(id: number, kind: RequestKind2): void {
    this.#kinds.set(id, kind);
  }

  sendBytes(bytes: Uint8Array): void {
    this.connection.send(bytes);
  }

  /** The first answer with that id. Rejects when the connection ends first. */
  async answerTo(id: number): Promise<Response2> {
    for (;;) {
      const found = this.received.find((received) => received.id === id);
      if (found !== undefined) return found.response;
      if (this.#isOver) throw new Error(`the connection ended before the answer to ${id}`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  request(request: Request2, options?: SendOptions): Promise<Response2> {
    return this.answerTo(this.send(request, options));
  }

  #handleData(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) this.#take(frame);
    this.#wake();
  }

  #take(frame: Uint8Array): void {
    if (this.hello === undefined) {
      this.hello = decodeResponse('hello', frame);
      return;
    }
    const id = decodeResponseId2(frame);
    // A refusal reads the same whatever it answers.
    this.received.push({ id, response: decodeResponse2(this.#kinds.get(id) ?? 'auth', frame) });
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
