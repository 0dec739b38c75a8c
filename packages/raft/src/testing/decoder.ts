/**
 * What every reader of untrusted bytes promises, as data, so that a fuzzer can hold it to that. Of the same shape as `Decoder` of
 * @kayadb/engine/testing, which this package does not see.
 */

/** Randomness for samples; a seeded generator, so that a run can be repeated. */
export interface SampleSource {
  /** An integer in [0, n). */
  int(n: number): number;
  bytes(length: number): Uint8Array;
  chance(probability: number): boolean;
}

/**
 * Invariant of all of them: for any bytes `decode` gives a value or throws an error with one of the codes in `refusals`, the same one
 * each time; it changes no byte; its work and memory are bounded by the length of the bytes.
 */
export interface RaftDecoder<Value = unknown> {
  /** kebab-case; the folder of its corpus. */
  readonly name: string;
  readonly refusals: readonly string[];
  /** Whether `value` has one encoding only: then the bytes were what `encode` gives. */
  isCanonical(value: Value): boolean;
  /** Whether the value is independent of the bytes, so that these may change afterwards. */
  readonly copies: boolean;
  /** @param bytes - Start a buffer of their own. */
  decode(bytes: Uint8Array): Value | Promise<Value>;
  encode?(value: Value): Uint8Array;
  /** Valid bytes. */
  sample(random: SampleSource): Uint8Array | Promise<Uint8Array>;
  /** Makes the checksums of changed bytes right again, in place. */
  reseal?(bytes: Uint8Array): void;
}
