/** The page and the text of a recovery plan, from plans made by hand. */

import type { RecoveryPlan } from '@kayadb/engine';
import { describe, expect, test } from 'vitest';

import { renderPlanPage } from '../src/recovery/plan-page.ts';
import { describePlan } from '../src/recovery/plan-text.ts';
import {
  currentLostPlan,
  logGapPlan,
  manyTablesPlan,
  oneBlockPlan,
  sampleLoss,
  sampleWayOut,
  wholePlan,
} from './plan-samples.ts';

const PLANS: readonly (readonly [string, () => RecoveryPlan])[] = [
  ['a whole store', wholePlan],
  ['a damaged block and a missing table', oneBlockPlan],
  ['CURRENT lost', currentLostPlan],
  ['a gap in the log', logGapPlan],
  ['hundreds of tables', manyTablesPlan],
];

/** Elements are closed in the order in which they were opened. */
function unbalanced(page: string): readonly string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, slash, name = '', inside = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>/g)) {
    if (slash === '/') {
      if (open.pop() !== name) wrong.push(name);
    } else if (name !== 'meta' && !inside.endsWith('/')) {
      open.push(name);
    }
  }
  return [...wrong, ...open];
}

const numbersIn = (page: string, attribute: string): readonly number[] =>
  Array.from(page.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g')), ([, value]) => Number(value));

describe.each(PLANS)('the page of %s', (_name, make) => {
  test('is one sound file that runs nothing and asks for nothing', () => {
    const page = renderPlanPage(make());

    expect(unbalanced(page)).toEqual([]);
    expect(page).toMatch(/^<!doctype html>\n/);
    expect(page).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    );
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|https?:|\bon\w+=/);
    expect(page).not.toMatch(/undefined|NaN|\[object/);
  });

  test('keeps its picture inside its frame', () => {
    const page = renderPlanPage(make());

    const [, frame = ''] = /viewBox="([^"]*)"/.exec(page) ?? [];
    const [, , width = 0, height = 0] = frame.split(' ').map(Number);
    expect(width).toBe(1000);
    for (const x of numbersIn(page, 'x')) expect(x).toBeLessThanOrEqual(width);
    for (const size of [...numbersIn(page, 'x'), ...numbersIn(page, 'y'), ...numbersIn(page, 'width')]) {
      expect(size).toBeGreaterThanOrEqual(0);
    }
    expect(Math.max(...numbersIn(page, 'y'))).toBeLessThanOrEqual(Math.max(height, 60));
  });

  test('has the ways out in their order, each with its command', async () => {
    const plan = make();

    const page = renderPlanPage(plan);
    const text = await describePlan(plan);

    const titles = Array.from(page.matchAll(/<h3>(\d+)\. ([A-Z]+)/g), ([, number, kind]) => `${number} ${kind}`);
    const inText = Array.from(text.matchAll(/^(\d+)\. ([A-Z]+)/gm), ([, number, kind]) => `${number} ${kind}`);
    const kinds = plan.waysOut.map(({ kind }, index) => `${index + 1} ${kind.toUpperCase()}`);
    expect({ titles, inText }).toEqual({ titles: kinds, inText: kinds });
    expect(text.match(/^ {3}type {3}kayactl --data /gm)).toHaveLength(kinds.length);
    expect(page.match(/<code class="command">kayactl --data /g)).toHaveLength(kinds.length);
  });
});

describe('the page', () => {
  test('hides no name of a table behind the damage in it', () => {
    const page = renderPlanPage(oneBlockPlan());

    const [bar] = /<g><rect class="bar"(?:(?!<\/g>)[^])*<rect class="damage"[^]*?<\/g>/.exec(page)!;
    expect(bar.indexOf('class="in-bar"')).toBeGreaterThan(bar.indexOf('class="damage"'));
  });

  test('marks each damaged stretch with file, offset and reason, and the number that the list has', () => {
    const page = renderPlanPage(oneBlockPlan());

    expect(page).toContain(
      '<title>000006.sst at offset 1204000, 16392 bytes: data: the checksum of the block does not match</title>',
    );
    expect(page).toContain('<title>000007.sst is missing</title>');
    expect(page).toMatch(/<text class="mark"[^>]*>1<\/text>/);
    expect(page).toMatch(
      /<td class="number">1<\/td>\n<td class="code">000006.sst<\/td>\n<td class="number">1204000<\/td>/,
    );
  });

  test('shows where the log breaks off, and what lies behind it', () => {
    const page = renderPlanPage(logGapPlan());

    expect(page).toContain('<title>000013.wal at offset 9000, 2400 bytes: the record CRC does not match</title>');
    expect(page).toContain('<title>000014.wal: it is needed, and it is missing</title>');
    expect(page).toMatch(/class="unused"[^>]*><title>000015.wal: .*, behind the damage<\/title>/);
  });

  test('escapes names and reasons of whatever stands in a folder', () => {
    const plan = oneBlockPlan();
    const evil = '</title><script>alert(1)</script>';

    const page = renderPlanPage({
      ...plan,
      report: { ...plan.report, directory: evil, warnings: [evil], damage: [{ file: evil, offset: 0, reason: evil }] },
      levels: [[{ ...plan.levels[0]![0]!, file: evil }]],
      waysOut: [sampleWayOut({ kind: 'salvage', summary: evil, losses: [sampleLoss({ kind: 'log', file: evil })] })],
    });

    expect(page).not.toContain('<script');
    expect(unbalanced(page)).toEqual([]);
  });

  test('holds keys only if the plan does', async () => {
    const plan = oneBlockPlan();
    const keys = { from: 'c0ffee', isFromExcluded: true, to: 'decade' };
    const doubtful = [{ key: 'beef01', sequence: 7, file: '000005.sst' }];
    const way = sampleWayOut({
      kind: 'salvage',
      losses: [sampleLoss({ kind: 'block', file: '000006.sst', hasKeys: true, keys })],
      doubtfulCount: 1,
      doubtful,
    });

    const page = renderPlanPage({ ...plan, waysOut: [way] });
    const text = await describePlan({ ...plan, waysOut: [way] });

    for (const shown of [page, text]) {
      expect(shown).toContain('after hex:c0ffee to hex:decade');
      expect(shown).toContain('hex:beef01');
      expect(shown).toContain('1 key left out because a newer version may be lost');
    }
  });
});

describe('the text', () => {
  test('begins with the verdict and says of each way what it keeps and loses', async () => {
    const text = await describePlan(oneBlockPlan());

    expect(text).toMatch(
      /^CORRUPT: something that may have been acknowledged is damaged or missing\ndirectory \/srv\/kaya\/data\n/,
    );
    expect(text).toContain('   keeps  14,976 rows, up to write 20,000\n');
    expect(text).toContain(
      '   loses  2 places in 2 files, 5,024 entries; 12 keys left out because a newer version may be lost\n',
    );
    expect(text).toContain(
      '   type   kayactl --data /srv/kaya/data recover --salvage --policy newest-found --out NEW-DIR',
    );
    expect(text).toMatch(/^ {3}block +000006.sst +1204000 +16392 +24 +1-15000 +a known stretch /m);
  });

  test('is bounded, and says where the rest is', async () => {
    const text = await describePlan(manyTablesPlan());

    expect(text.split('\n').length).toBeLessThan(80);
    expect(text).toContain('   and 14 more: --json and --html list them');
  });

  test('quotes the folder for the shell', async () => {
    const plan = wholePlan();

    const text = await describePlan({ ...plan, report: { ...plan.report, directory: '/my data' } });

    expect(text).toContain("type   kayactl --data '/my data' stats");
  });
});
