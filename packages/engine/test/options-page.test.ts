import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { resolveOptions } from '../src/options.ts';

const page = readFileSync(new URL('../../../docs/reference/engine.md', import.meta.url), 'utf8');

/** First and second cells of the rows of the first table behind `heading`. */
function rowsAfter(heading: string): ReadonlyMap<string, string> {
  const lines = page.slice(page.indexOf(heading)).split('\n');
  const start = lines.findIndex((line) => line.startsWith('|')) + 2;
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  const rows = (length === -1 ? lines.slice(start) : lines.slice(start, start + length)).filter((line) => line !== '');
  return new Map(
    rows.map((row) => {
      const [, name = '', value = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
      return [name, value];
    }),
  );
}

describe('docs/reference/engine.md', () => {
  test('has a row for every option of the engine, and none else', () => {
    expect([...rowsAfter("# The engine's options").keys()].toSorted()).toEqual(
      Object.keys(resolveOptions({})).toSorted(),
    );
  });

  test('says the defaults of the options that are switched off or plain numbers', () => {
    const rows = rowsAfter("# The engine's options");
    const defaults: Readonly<Record<string, unknown>> = { ...resolveOptions({}) };
    const numbers = [...rows].filter(([, value]) => /^\d+$/.test(value));

    expect(numbers.length).toBeGreaterThan(5);
    for (const [name, value] of numbers) expect([name, Number(value)]).toEqual([name, defaults[name]]);
  });

  test('lists the kinds of events', () => {
    const types = readFileSync(new URL('../src/types.ts', import.meta.url), 'utf8');
    const union = types.slice(types.indexOf('export type EngineEvent ='), types.indexOf('/** What `verify` found. */'));
    const kinds = [...union.matchAll(/kind: '([a-z-]+)'/g)].map(([, kind]) => kind!);

    expect(kinds).toContain('damage-found');
    expect([...rowsAfter('## Events').keys()].toSorted()).toEqual(kinds.toSorted());
  });
});
