/**
 * Secrets as SHA-256 digests: what a node keeps of a token, and the only way it compares one.
 * Invariant: the time a comparison takes depends on the length of the candidate alone.
 */

import { createHash, timingSafeEqual } from 'node:crypto';

export class TokenDigest {
  readonly #digest: Buffer;

  /** Keeps no reference to `token`. @throws RangeError for an empty token. */
  constructor(token: string) {
    if (token.length === 0) throw new RangeError('a token must not be empty; leave it out to switch the check off');
    this.#digest = digest(token);
  }

  matches(candidate: Uint8Array): boolean {
    return timingSafeEqual(this.#digest, digest(candidate));
  }
}

function digest(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
