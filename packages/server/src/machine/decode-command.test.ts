import { concatBytes, DecodeError } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { randomCommands } from '../../test/machine/random-commands.ts';
import type { Command } from './command.ts';
import { decodeCommand } from './decode-command.ts';
import { encodeCommand } from './encode-command.ts';
import { decodeSnapshotData, encodeSnapshotData } from './snapshot-data.ts';

const seed = testSeed();
const commands = randomCommands(seededRandom(seed), 300).filter((command): command is Command => command !== undefined);

/** What a decoder makes of bytes: a value, or `refused`. Anything but DecodeError goes through. */
function outcomeOf<Value>(decode: (bytes: Uint8Array) => Value, bytes: Uint8Array): Value | 'refused' {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return 'refused';
    throw error;
  }
}

/** Every beginning of `bytes`, and copies with something changed, left out or put in. */
function* changesOf(bytes: Uint8Array, random: { int(n: number): number }): Generator<Uint8Array> {
  for (let end = 0; end < bytes.length; end++) yield bytes.subarray(0, end);
  for (let i = 0; i < 100; i++) {
    const at = random.int(bytes.length);
    const byte = Uint8Array.of(random.int(256));
    const [put, next] = [[byte, at + 1] as const, [byte, at] as const, [new Uint8Array(0), at + 1] as const][
      random.int(3)
    ]!;
    yield concatBytes([bytes.subarray(0, at), put, bytes.subarray(next)]);
  }
}

describe('decodeCommand', () => {
  test('reads what was written', () => {
    const read = commands.map((command) => decodeCommand(encodeCommand(command)));

    expect(read, `seed ${seed}`).toEqual(commands);
  });

  test(
    'gives a command or DecodeError for any bytes, and what it gives is written as it was read',
    { timeout: 60_000 },
    () => {
      const random = seededRandom(seed);
      const counts = { refused: 0, read: 0 };
      const unfaithful: string[] = [];
      for (const command of commands.slice(0, 40)) {
        for (const bytes of changesOf(encodeCommand(command), random)) {
          const outcome = outcomeOf(decodeCommand, bytes);
          counts[outcome === 'refused' ? 'refused' : 'read']++;
          if (outcome === 'refused') continue;
          const written = encodeCommand(outcome);
          const again = encodeCommand(decodeCommand(written));
          if (Buffer.compare(again, written) !== 0) unfaithful.push(Buffer.from(bytes).toString('hex'));
        }
      }

      expect(unfaithful, `seed ${seed}`).toEqual([]);
      expect(counts.refused).toBeGreaterThan(1000);
      expect(counts.read).toBeGreaterThan(200);
    },
  );
});

describe('decodeSnapshotData', () => {
  test('gives files or DecodeError for any bytes, and what it gives is written as it was read', () => {
    const random = seededRandom(seed);
    const files = Array.from({ length: 20 }, (_, i) => ({
      name: `${String(i).padStart(6, '0')}.sst`,
      bytes: random.int(1_000_000),
      crc: random.int(2 ** 32),
    }));
    let refused = 0;
    for (const bytes of changesOf(encodeSnapshotData(files), random)) {
      const outcome = outcomeOf(decodeSnapshotData, bytes);
      if (outcome === 'refused') refused++;
      const again = outcome === 'refused' ? bytes : encodeSnapshotData(outcome);
      expect(Buffer.compare(again, bytes), `seed ${seed}`).toBe(0);
    }

    expect(refused).toBeGreaterThan(300);
  });
});
