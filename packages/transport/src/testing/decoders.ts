/**
 * What every reader of untrusted bytes here promises, as data, so that a fuzzer can hold it to that. Of the same shape as `Decoder` of
 * @kayadb/engine/testing, which this package does not see. A new format has its reader here.
 */

import { crc32c, writeU16, writeU32 } from '@kayadb/codec';

import { GREETING_CRC_BYTES, GREETING_HEAD_BYTES, PEER_STREAM, PEER_VERDICT } from '../peer/greeting-format.ts';
import { GreetingReader } from '../peer/greeting-reader.ts';
import { decodeGreeting, encodeGreeting, type Greeting } from '../peer/greeting.ts';

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
export interface TransportDecoder<Value = unknown> {
  /** kebab-case; the folder of its corpus. */
  readonly name: string;
  readonly refusals: readonly string[];
  /** Whether `value` has one encoding only: then the bytes were what `encode` gives. */
  isCanonical(value: Value): boolean;
  /** Whether the value is independent of the bytes, so that these may change afterwards. */
  readonly copies: boolean;
  decode(bytes: Uint8Array): Value;
  encode?(value: Value): Uint8Array;
  /** Valid bytes. */
  sample(random: SampleSource): Uint8Array;
  /** Makes lengths and checksums of changed bytes right again, in place. */
  reseal?(bytes: Uint8Array): void;
}

const traits = {
  refusals: ['KAYA_MALFORMED'],
  // Fields of later versions are passed over.
  isCanonical: () => false,
  copies: true,
  encode: encodeGreeting,
  sample: (random: SampleSource): Uint8Array => encodeGreeting(sampleGreeting(random)),
  reseal(bytes: Uint8Array): void {
    const end = bytes.length - GREETING_CRC_BYTES;
    if (end < GREETING_HEAD_BYTES) return;
    writeU16(bytes, GREETING_HEAD_BYTES - 2, bytes.length - GREETING_HEAD_BYTES);
    writeU32(bytes, end, crc32c(bytes, 0, 0, end));
  },
};

const greeting: TransportDecoder<Greeting> = { name: 'peer-greeting', ...traits, decode: decodeGreeting };

/** As it comes over the network: in pieces of one byte to thirteen. */
const greetingStream: TransportDecoder<Greeting | undefined> = {
  ...traits,
  name: 'peer-greeting-stream',
  encode: (value) => (value === undefined ? new Uint8Array(0) : encodeGreeting(value)),
  decode(bytes) {
    const reader = new GreetingReader();
    let read: Greeting | undefined;
    let end = 0;
    for (let at = 0; at < bytes.length; at = end) {
      end = at + 1 + (at % 13);
      read = reader.push(bytes.subarray(at, end)) ?? read;
    }
    return read;
  },
};

export const transportDecoders: readonly TransportDecoder[] = [greeting, greetingStream];

/** Any greeting. */
export function sampleGreeting(random: SampleSource): Greeting {
  const lowest = 1 + random.int(9);
  return {
    versions: { lowest, highest: lowest + random.int(9) },
    stream: pick(random, Object.keys(PEER_STREAM) as (keyof typeof PEER_STREAM)[]),
    verdict: pick(random, Object.keys(PEER_VERDICT) as (keyof typeof PEER_VERDICT)[]),
    cluster: random.chance(0.2) ? undefined : `01${Buffer.from(random.bytes(15)).toString('hex')}`,
    sender: 1 + random.int(2 ** 32),
    addressee: random.chance(0.2) ? undefined : 1 + random.int(9),
    incarnation: 1 + random.int(2 ** 32),
    boot: 1 + random.int(99),
    start: random.int(2 ** 32),
    lastIndex: random.int(1000),
    addresseeIncarnation: random.chance(0.3) ? undefined : 1 + random.int(2 ** 32),
    featureLevel: random.int(2 ** 16),
    nodeAddress: random.chance(0.2) ? '' : `node-${random.int(9)}.example:7481`,
    clientAddress: random.chance(0.2) ? '' : `[fd00::${random.int(9)}]:7379`,
    reason: random.chance(0.6) ? '' : 'ü'.repeat(random.int(100)),
  };
}

function pick<Item>(random: SampleSource, items: readonly Item[]): Item {
  return items[random.int(items.length)]!;
}
