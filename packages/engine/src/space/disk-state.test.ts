import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import {
  decideDiskState,
  type DiskLimits,
  type DiskLook,
  type DiskState,
  neededBytes,
  shouldMakeReserve,
} from './disk-state.ts';

const limits: DiskLimits = { lowBytes: 800, reserveBytes: 160 };

function look(availableBytes: number, heldBytes = 160): DiskLook {
  return { availableBytes, heldBytes };
}

/** As the decision page says it, step by step. */
function naiveState(
  previous: DiskState,
  { availableBytes, heldBytes }: DiskLook,
  { lowBytes, reserveBytes }: DiskLimits,
) {
  if (previous === 'unwatched') return 'unwatched';
  let usable = availableBytes;
  if (heldBytes < reserveBytes) usable -= reserveBytes - heldBytes;
  const larger = lowBytes > reserveBytes ? lowBytes : reserveBytes;
  let comfortable = lowBytes;
  while (comfortable - lowBytes < larger / 8) comfortable++;
  if (previous === 'ok') return usable < lowBytes ? 'low' : 'ok';
  if (usable < comfortable) return previous;
  return previous === 'full' && heldBytes < reserveBytes ? 'full' : 'ok';
}

describe('decideDiskState', () => {
  test.each<[string, DiskState, DiskLook, DiskState]>([
    ['is ok down to the soft limit', 'ok', look(800), 'ok'],
    ['is low below it', 'ok', look(799), 'low'],
    ['stays low until an eighth more than the limit is there', 'low', look(899), 'low'],
    ['is ok again from there on', 'low', look(900), 'ok'],
    ['does not count the room that the reserve lacks', 'ok', look(959, 0), 'low'],
    ['counts room beyond that', 'ok', look(960, 0), 'ok'],
    ['leaves full only with the reserve made again', 'full', look(5000, 159), 'full'],
    ['leaves full once it is', 'full', look(900, 160), 'ok'],
    ['never watches what nobody asked it to', 'unwatched', look(0), 'unwatched'],
  ])('%s', (_, previous, found, expected) => {
    expect(decideDiskState(previous, found, limits)).toBe(expected);
  });

  test('agrees with the rule spelled out, whatever the figures', () => {
    const random = seededRandom(testSeed());
    for (let i = 0; i < 20_000; i++) {
      const some: DiskLimits = { lowBytes: random.int(50), reserveBytes: random.int(50) };
      const found: DiskLook = { availableBytes: random.int(150), heldBytes: random.int(some.reserveBytes + 1) };
      const previous = (['unwatched', 'ok', 'low', 'full'] as const)[random.int(4)]!;

      expect({ previous, found, some, state: decideDiskState(previous, found, some) }).toEqual({
        previous,
        found,
        some,
        state: naiveState(previous, found, some),
      });
    }
  });
});

describe('neededBytes', () => {
  test.each([0, 100, 160, 200])('is the least that ends a low state, with %i bytes in the reserve', (heldBytes) => {
    const needed = neededBytes(heldBytes, limits);

    expect(decideDiskState('low', look(needed, heldBytes), limits)).toBe('ok');
    expect(decideDiskState('low', look(needed - 1, heldBytes), limits)).toBe('low');
  });
});

describe('shouldMakeReserve', () => {
  test.each([
    ['there is room for it beyond the soft limit', look(1060, 0), true],
    ['that would eat into the soft limit', look(1059, 0), false],
    ['it is there', look(5000, 160), false],
  ])('when %s: %#', (_, found, expected) => {
    expect(shouldMakeReserve(found, limits)).toBe(expected);
  });
});
