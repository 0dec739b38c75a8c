/**
 * Puts a greeting together from the chunks of a stream.
 *
 * Bound: `MAX_GREETING_BYTES` and its head, whatever is pushed; a first byte that is wrong ends it. Nothing behind the greeting is kept:
 * neither side may send more before the other has answered.
 */

import { concatBytes, DecodeError, EMPTY_BYTES, readU16 } from '@kayadb/codec';

import { GREETING_HEAD_BYTES, MAX_GREETING_BYTES, MIN_GREETING_BYTES, PEER_GREETING_MAGIC } from './greeting-format.ts';
import { assertMagic, decodeGreeting, type Greeting } from './greeting.ts';

export class GreetingReader {
  #bytes: Uint8Array = EMPTY_BYTES;

  /**
   * Requires: nothing came out yet, and nothing was thrown.
   *
   * @returns The greeting, when `chunk` completes it.
   * @throws DecodeError for what is no greeting, and for bytes behind it.
   */
  push(chunk: Uint8Array): Greeting | undefined {
    const isTooMuch = this.#bytes.length + chunk.length > GREETING_HEAD_BYTES + MAX_GREETING_BYTES;
    const room = GREETING_HEAD_BYTES + MAX_GREETING_BYTES - this.#bytes.length;
    this.#bytes = concatBytes([this.#bytes, chunk.subarray(0, room)]);
    assertMagic(this.#bytes.subarray(0, PEER_GREETING_MAGIC.length));
    if (this.#bytes.length < GREETING_HEAD_BYTES) return undefined;
    const length = readU16(this.#bytes, PEER_GREETING_MAGIC.length);
    if (length < MIN_GREETING_BYTES || length > MAX_GREETING_BYTES) {
      throw new DecodeError(`a greeting is not ${length} bytes long`, PEER_GREETING_MAGIC.length);
    }
    const wholeBytes = GREETING_HEAD_BYTES + length;
    if (this.#bytes.length > wholeBytes || isTooMuch) {
      throw new DecodeError('more came than a greeting, before it was answered', wholeBytes);
    }
    return this.#bytes.length === wholeBytes ? decodeGreeting(this.#bytes) : undefined;
  }
}
