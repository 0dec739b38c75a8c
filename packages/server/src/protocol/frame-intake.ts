/**
 * Cuts a connection's bytes into frames, and holds strangers to small ones: until a valid client credential was seen,
 * no more than `maxStrangerFrameBytes` of a frame is kept. A larger first frame that opens with a valid credential
 * is let through as soon as the credential itself has arrived, so clients need no ceremony before a large PUT.
 */

import {
  ByteReader,
  concatBytes,
  type Credential,
  EMPTY_BYTES,
  encodeUtf8,
  equalBytes,
  FRAME_HEADER_BYTES,
  FrameDecoder,
  ProtocolError,
  readU32,
} from '@kayadb/codec';

import type { Identifier } from '../access/authorize.ts';
import { AccessDeniedError } from '../server-error.ts';

/** `CLIENT\0`, in front of every client credential. docs/format/wire.md, "Prefixes". */
const CLIENT_PREFIX = encodeUtf8('CLIENT\0');
const OPCODE_BYTES = 1;
const TOKEN_LENGTH_BYTES = 2;

export interface FrameIntakeLimits {
  readonly maxFrameBytes: number;
  readonly maxStrangerFrameBytes: number;
}

export class FrameIntake {
  readonly #decoder: FrameDecoder;
  readonly #limits: FrameIntakeLimits;
  readonly #identifier: Identifier;
  /** Never, when no client token is configured. */
  #isStranger: boolean;
  /** Frames of version 2 have no credential in front. */
  #isVersion2 = false;
  /** A stranger's bytes that the decoder has not been given: the start of one frame, and what came behind it. */
  #held: Uint8Array = EMPTY_BYTES;
  #bufferedBytes = 0;

  constructor(limits: FrameIntakeLimits, identifier: Identifier) {
    this.#limits = limits;
    this.#identifier = identifier;
    this.#isStranger = identifier.needsClientToken;
    this.#decoder = new FrameDecoder({ maxFrameBytes: limits.maxFrameBytes });
  }

  /** Bytes that have come and are not part of a frame handed out; 0 only between two frames. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Keeps `chunk`; it must not change any more. */
  push(chunk: Uint8Array): void {
    this.#bufferedBytes += chunk.length;
    if (this.#isStranger) this.#held = this.#held.length === 0 ? chunk : concatBytes([this.#held, chunk]);
    else this.#decoder.push(chunk);
  }

  /**
   * @returns The next whole frame, as FrameDecoder does.
   * @throws ProtocolError for a length that cannot be; for a stranger's large frame AccessDeniedError, or in version 2 ProtocolError. The stream is lost then.
   */
  next(): Uint8Array | undefined {
    if (this.#isStranger && !this.#passHeld()) return undefined;
    const frame = this.#decoder.next();
    if (frame !== undefined) this.#bufferedBytes -= FRAME_HEADER_BYTES + frame.length;
    return frame;
  }

  /** Frames from the next one on are of version 2. */
  goOver(): void {
    this.#isVersion2 = true;
  }

  /** The other side has shown a valid credential. */
  trust(): void {
    if (!this.#isStranger) return;
    this.#isStranger = false;
    this.#decoder.push(this.#held);
    this.#held = EMPTY_BYTES;
  }

  /** @returns Whether the decoder has something to decide on now. */
  #passHeld(): boolean {
    if (this.#held.length < FRAME_HEADER_BYTES) return false;
    const frameBytes = readU32(this.#held, 0);
    const { maxFrameBytes, maxStrangerFrameBytes } = this.#limits;
    const wholeBytes = FRAME_HEADER_BYTES + frameBytes;
    if (frameBytes <= maxStrangerFrameBytes) {
      if (this.#held.length < wholeBytes) return false;
      this.#decoder.push(this.#held.subarray(0, wholeBytes));
      this.#held = this.#held.subarray(wholeBytes);
    } else if (frameBytes > maxFrameBytes) {
      this.trust();
    } else if (this.#isVersion2) {
      const message = `a frame of ${frameBytes} bytes came before a client credential, and the limit is ${maxStrangerFrameBytes} until then; send AUTH first`;
      throw new ProtocolError('KAYA_FRAME_TOO_LARGE', message);
    } else {
      const credential = this.#readCredential();
      if (credential === 'incomplete') return false;
      this.#check(credential);
      this.trust();
    }
    return true;
  }

  #check(credential: Credential | undefined): void {
    const { client } = this.#identifier.identify(credential);
    if (client !== 'valid') throw new AccessDeniedError('client', client === 'wrong' ? 'wrong' : 'missing');
  }

  /** Bound: `maxStrangerFrameBytes` of the frame are looked at. */
  #readCredential(): Credential | undefined | 'incomplete' {
    const reader = new ByteReader(this.#held, FRAME_HEADER_BYTES);
    const none = this.#held.length > this.#limits.maxStrangerFrameBytes ? undefined : 'incomplete';
    if (reader.remaining < OPCODE_BYTES + CLIENT_PREFIX.length + TOKEN_LENGTH_BYTES) return none;
    reader.u8('opcode');
    if (!equalBytes(reader.bytes(CLIENT_PREFIX.length, 'prefix'), CLIENT_PREFIX)) return undefined;
    const tokenBytes = reader.u16('token length');
    return reader.remaining < tokenBytes ? none : { kind: 'client', token: reader.bytes(tokenBytes, 'token') };
  }
}
