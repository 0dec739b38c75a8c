/** The client's end of a connection in memory: each frame that it sends is answered by a function, in a later turn and in the order of the frames. */

import type { ClientOptions } from '@kayadb/client';
import { FrameDecoder } from '@kayadb/codec';

export type Network = NonNullable<ClientOptions['network']>;
export type Connection = Awaited<ReturnType<Network['dial']>>;

export class ServedConnection implements Connection {
  readonly remoteAddress: Connection['remoteAddress'];
  readonly bufferedBytes = 0;
  readonly closed: Promise<undefined>;
  isOpen = true;
  readonly #answer: (frame: Uint8Array) => Uint8Array | undefined;
  readonly #decoder = new FrameDecoder();
  #receiver: ((chunk: Uint8Array) => void) | undefined;
  #resolveClosed: ((reason: undefined) => void) | undefined;

  /** @param answer - To one frame; undefined breaks the connection off. */
  constructor(remoteAddress: Connection['remoteAddress'], answer: (frame: Uint8Array) => Uint8Array | undefined) {
    this.remoteAddress = remoteAddress;
    this.#answer = answer;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  send(bytes: Uint8Array): void {
    this.#decoder.push(bytes.slice());
    for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
      void this.#serve(frame.slice());
    }
  }

  async #serve(frame: Uint8Array): Promise<void> {
    await Promise.resolve();
    const answer = this.#answer(frame);
    if (answer === undefined) this.destroy();
    else if (this.isOpen) this.#receiver?.(answer);
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  onData(receiver: (chunk: Uint8Array) => void): void {
    this.#receiver = receiver;
  }

  onEnd(): void {}
  pause(): void {}
  resume(): void {}

  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }

  destroy(): void {
    this.isOpen = false;
    this.#resolveClosed?.(undefined);
  }
}
