import { compareBytes } from '@kayadb/codec';
import { seededRandom, type SeededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ALL_KEYS, type DamagedPlace, lossOf, PlaceSweep } from './damaged-place.ts';

function randomPlace(random: SeededRandom): DamagedPlace {
  const [from, to] = [random.int(40), random.int(40)].toSorted((a, b) => a - b);
  return {
    kind: 'block',
    file: '000001.sst',
    offset: 64,
    bytes: 100,
    reason: 'planted',
    level: 0,
    rank: random.int(4),
    entryCount: null,
    firstSequence: 1,
    lastSequence: random.chance(0.2) ? null : random.int(30),
    bounds: {
      from: random.chance(0.2) ? undefined : Uint8Array.of(from!),
      isFromExcluded: random.chance(0.5),
      to: random.chance(0.2) ? undefined : Uint8Array.of(to!),
    },
  };
}

/** Slowly, place by place. */
function mayHoldNewer(places: readonly DamagedPlace[], key: Uint8Array, sequence: number, rank: number): boolean {
  return places.some(({ bounds: { from, isFromExcluded, to }, lastSequence, ...place }) => {
    const order = from === undefined ? 1 : compareBytes(key, from);
    const startsBefore = isFromExcluded ? order > 0 : order >= 0;
    const endsBehind = to === undefined || compareBytes(key, to) <= 0;
    return startsBefore && endsBehind && place.rank <= rank && (lastSequence === null || lastSequence > sequence);
  });
}

describe('PlaceSweep', () => {
  test('agrees with a look at every place', () => {
    const random = seededRandom(testSeed());
    const wrong: string[] = [];
    const answers = new Set<boolean>();
    for (let round = 0; round < 200; round++) {
      const places = Array.from({ length: random.int(8) }, () => randomPlace(random));
      const sweep = new PlaceSweep(places);
      for (let at = 0; at < 40; at++) {
        const key = Uint8Array.of(at);
        sweep.advance(key);
        for (let i = 0; i < 3; i++) {
          const [sequence, rank] = [random.int(30), random.int(4) - 1];
          const expected = mayHoldNewer(places, key, sequence, rank);
          answers.add(expected);
          if (sweep.mayHoldNewer(key, sequence, rank) !== expected) wrong.push(`round ${round}, key ${at}`);
        }
      }
    }

    expect(wrong).toEqual([]);
    expect(answers.size).toBe(2);
  });
});

describe('lossOf', () => {
  test('says between which keys a loss lies, and which these are only when asked', () => {
    const bounds = { from: Uint8Array.of(1), isFromExcluded: true, to: Uint8Array.of(2) };
    const place = { ...randomPlace(seededRandom(1)), bounds };

    const silent = lossOf(place, false);
    const open = lossOf(place, true);

    expect(silent).toMatchObject({ hasKeys: true, keys: null });
    expect(open).toMatchObject({ hasKeys: true, keys: { from: '01', isFromExcluded: true, to: '02' } });
    expect(lossOf({ ...place, bounds: ALL_KEYS }, true)).toMatchObject({ hasKeys: false, keys: null });
  });
});
