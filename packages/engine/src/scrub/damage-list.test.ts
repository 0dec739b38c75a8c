import { describe, expect, test } from 'vitest';

import { CorruptionError } from '../errors.ts';
import { DamageList } from './damage-list.ts';

describe('DamageList', () => {
  test('tells of each place once, with the time it was found first', () => {
    const told: unknown[] = [];
    const list = new DamageList(({ file, offset, foundMs }) => told.push([file, offset, foundMs]));

    list.add(new CorruptionError('000003.sst', 64, 'bad'), 10);
    list.add(new CorruptionError('000003.sst', 64, 'bad again'), 20);
    list.add(new CorruptionError('000003.sst', 300, 'bad'), 30);

    expect(told).toEqual([
      ['000003.sst', 64, 10],
      ['000003.sst', 300, 30],
    ]);
    expect(list.kept.map(({ foundMs }) => foundMs)).toEqual([10, 30]);
  });

  test('keeps the first hundred, and counts the others', () => {
    const list = new DamageList(() => undefined);

    for (let i = 0; i < 250; i++) list.add(new CorruptionError('000003.sst', i, 'bad'), i);

    expect(list.count).toBe(250);
    expect(list.kept).toHaveLength(100);
    expect(list.kept.at(-1)!.offset).toBe(99);
  });
});
