/** `kayactl recover --dry-run --json` on real files: what is wrong is named with file and offset, and nothing is touched. */

import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type EngineEvent, openEngine } from '@kayadb/engine';
import { describe, expect, test } from 'vitest';

import {
  FILE_HEADER_BYTES,
  flip,
  manifestName,
  namesEnding,
  sizeOf,
  tableSections,
  tear,
  writeEvidence,
} from './support/evidence.ts';
import { takePicture } from './support/folder-picture.ts';
import { kayactl, runKayactl } from './support/processes.ts';
import { type DryRun, dryRun, fileNamed } from './support/recovery.ts';
import { openFolder } from './support/repository.ts';

const TIMEOUT_MS = 60_000;

/** Looks at a store after `damage`, and makes sure that looking leaves no trace. */
async function look(damage: (data: string) => void): Promise<DryRun & { readonly isUntouched: boolean }> {
  using folder = openFolder();
  const data = folder.at('data');
  await writeEvidence(data);
  damage(data);
  const before = takePicture(data);

  const { exitCode, report } = await dryRun(data);

  const after = takePicture(data);
  return { exitCode, report, isUntouched: JSON.stringify(after) === JSON.stringify(before) };
}

const firstTable = (data: string): string => namesEnding(data, '.sst')[0]!;
const closedSegment = (data: string): string => namesEnding(data, '.wal')[0]!;
const openSegment = (data: string): string => namesEnding(data, '.wal').at(-1)!;

describe('recover --dry-run on a store that a killed process left', { timeout: TIMEOUT_MS }, () => {
  test('calls it clean, counts what opening would replay, and touches nothing', async () => {
    const { exitCode, report, isUntouched } = await look(() => {});

    expect({ exitCode, verdict: report.verdict, damage: report.damage }).toEqual({
      exitCode: 0,
      verdict: 'clean',
      damage: [],
    });
    expect(report.files.map(({ kind }) => kind).toSorted()).toEqual([
      'current',
      'manifest',
      'table',
      'table',
      'table',
      'wal',
      'wal',
    ]);
    expect(report.opening.recordsReplayed).toBeGreaterThan(1);
    expect(report.records_replayed).toBe(report.opening.recordsReplayed);
    expect(report.live_sstable_count).toBe(2);
    expect(isUntouched).toBe(true);
  });

  test('calls a torn end of the log recoverable, and names where it begins', async () => {
    let name = '';
    const whole = await look((data) => (name = openSegment(data)));

    const { exitCode, report, isUntouched } = await look((data) => tear(data, openSegment(data), 10));

    const file = fileNamed(report, name);
    expect({ exitCode, verdict: report.verdict, state: file.state }).toEqual({
      exitCode: 0,
      verdict: 'recoverable',
      state: 'torn-tail',
    });
    expect(file.offset).toBeGreaterThanOrEqual(FILE_HEADER_BYTES);
    expect(file.offset! + report.wal_truncated_bytes).toBeLessThanOrEqual(file.bytes);
    expect(report.opening.recordsReplayed).toBe(whole.report.opening.recordsReplayed - 1);
    expect(isUntouched).toBe(true);
  });

  test.each<[string, (data: string) => { readonly name: string; readonly at: number; readonly from: number }]>([
    [
      'a record of a closed segment',
      (data) => ({ name: closedSegment(data), at: FILE_HEADER_BYTES + 40, from: FILE_HEADER_BYTES }),
    ],
    ['the header of a closed segment', (data) => ({ name: closedSegment(data), at: 20, from: 0 })],
    ['a data block', (data) => ({ name: firstTable(data), at: FILE_HEADER_BYTES + 50, from: FILE_HEADER_BYTES })],
    [
      'the index',
      (data) => ({
        name: firstTable(data),
        at: tableSections(data, firstTable(data)).index + 5,
        from: tableSections(data, firstTable(data)).index,
      }),
    ],
    [
      'the filter',
      (data) => ({
        name: firstTable(data),
        at: tableSections(data, firstTable(data)).filter + 30,
        from: tableSections(data, firstTable(data)).filter,
      }),
    ],
    [
      'the footer',
      (data) => ({
        name: firstTable(data),
        at: sizeOf(data, firstTable(data)) - 30,
        from: sizeOf(data, firstTable(data)) - 64,
      }),
    ],
    ['the header of a table', (data) => ({ name: firstTable(data), at: 20, from: 0 })],
    ['the manifest', (data) => ({ name: manifestName(data), at: FILE_HEADER_BYTES + 40, from: FILE_HEADER_BYTES })],
    ['CURRENT', () => ({ name: 'CURRENT', at: 20, from: 0 })],
  ])('names file and offset of a flipped byte in %s, and ends with 3', async (_what, place) => {
    let expected = { name: '', at: 0, from: 0 };

    const { exitCode, report, isUntouched } = await look((data) => {
      expected = place(data);
      flip(data, expected.name, expected.at);
    });

    const [first] = report.damage;
    expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 3, verdict: 'corrupt' });
    expect(first).toEqual({ file: expected.name, offset: expected.from, reason: expect.stringMatching(/\w+ \w+/) });
    expect(fileNamed(report, expected.name)).toMatchObject({ state: 'corrupt', offset: expected.from });
    expect(isUntouched).toBe(true);
  });

  test('names a table that is missing, and ends with 3', async () => {
    let name = '';

    const { exitCode, report, isUntouched } = await look((data) => {
      name = firstTable(data);
      rmSync(join(data, name));
    });

    expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 3, verdict: 'corrupt' });
    expect(report.damage.map(({ file }) => file)).toContain(name);
    expect(fileNamed(report, name)).toMatchObject({ kind: 'table', state: 'missing' });
    expect(isUntouched).toBe(true);
  });

  test('tells orphans, temporaries and strangers apart, and ends with 0', async () => {
    const { exitCode, report, isUntouched } = await look((data) => {
      copyFileSync(join(data, firstTable(data)), join(data, '000090.sst'));
      writeFileSync(join(data, 'CURRENT.tmp'), 'kayadb 1 ');
      writeFileSync(join(data, 'notes.txt'), 'not of the store');
    });

    const stateOf = (name: string): readonly string[] => {
      const { kind, state, opening } = fileNamed(report, name);
      return [kind, state, opening.action];
    };
    expect({ exitCode, verdict: report.verdict, removed: report.tmp_files_removed }).toEqual({
      exitCode: 0,
      verdict: 'clean',
      removed: 1,
    });
    expect(stateOf('000090.sst')).toEqual(['table', 'orphan', 'remove']);
    expect(stateOf('CURRENT.tmp')).toEqual(['temporary', 'temporary', 'remove']);
    expect(stateOf('notes.txt')).toEqual(['unknown', 'unknown', 'leave']);
    expect(isUntouched).toBe(true);
  });
});

describe('what recover --dry-run foretells', { timeout: TIMEOUT_MS }, () => {
  test('is what opening then does', async () => {
    using folder = openFolder();
    const data = folder.at('data');
    await writeEvidence(data);
    tear(data, openSegment(data), 10);
    const { report } = await dryRun(data);

    const events: EngineEvent[] = [];
    const engine = await openEngine(data, { onEvent: (event) => events.push(event) });
    await engine.close();

    expect(events.find(({ kind }) => kind === 'opened')).toMatchObject({
      recoveredRecords: report.opening.recordsReplayed,
      truncatedBytes: report.opening.walTruncatedBytes,
    });
    expect(report.opening.filesRemoved.filter((name) => namesEnding(data, name).length > 0)).toEqual([]);
  });

  test('is a refusal that a command on the store then gives too, with file and offset and exit code 3', async () => {
    using folder = openFolder();
    const data = folder.at('data');
    await writeEvidence(data);
    flip(data, closedSegment(data), FILE_HEADER_BYTES + 40);
    const { report } = await dryRun(data);
    const before = takePicture(data);

    const { exitCode, stderr } = await runKayactl(['--data', data, 'get', 'key-0001']);

    expect(report.opening).toMatchObject({ outcome: 'refused', code: 'KAYA_CORRUPTION', file: closedSegment(data) });
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(
      new RegExp(`^ERROR: .*${closedSegment(data)}.* ${report.opening.offset}\\b.*\\nHINT: .*recover --plan`, 'm'),
    );
    // The folder itself has seen a lock come and go; its files are as they were.
    expect({ ...takePicture(data), '.': '' }).toEqual({ ...before, '.': '' });
  });

  test('is told in words too', async () => {
    using folder = openFolder();
    const data = folder.at('data');
    await writeEvidence(data);
    const clean = await kayactl('--data', data, 'recover', '--dry-run');
    flip(data, firstTable(data), FILE_HEADER_BYTES + 50);

    const corrupt = await runKayactl(['--data', data, 'recover', '--dry-run']);

    expect(clean).toMatch(/^CLEAN: the store opens and loses nothing\n/);
    expect(corrupt.exitCode).toBe(3);
    expect(corrupt.stdout).toMatch(/^CORRUPT: /);
    expect(corrupt.stdout).toContain(`DAMAGE: ${firstTable(data)} at offset ${FILE_HEADER_BYTES}: `);
  });

  test('is that there is nothing to open in a folder without a store', async () => {
    using folder = openFolder();

    const { exitCode, report } = await dryRun(folder.path);
    const absent = await runKayactl(['--data', folder.at('absent'), 'recover', '--dry-run']);

    expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 2, verdict: 'empty' });
    expect(absent).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/^ERROR: .*\nHINT: /) });
  });
});

interface Plan {
  readonly report: { readonly verdict: string };
  readonly waysOut: readonly {
    readonly kind: string;
    readonly policy: string | null;
    readonly rowCount: number | null;
  }[];
}

/** Keys and values, as `scan` prints them. */
async function rowsOf(data: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await kayactl('--data', data, 'scan')).split('\n').slice(0, -1);
  return new Map(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' '))]),
  );
}

describe('recover --plan and --salvage on a damaged store', { timeout: 2 * TIMEOUT_MS }, () => {
  test.each<[string, (data: string) => void]>([
    ['a data block', (data) => flip(data, firstTable(data), FILE_HEADER_BYTES + 50)],
    ['a table that is missing', (data) => rmSync(join(data, firstTable(data)))],
    ['the log', (data) => flip(data, closedSegment(data), FILE_HEADER_BYTES + 40)],
    ['CURRENT', (data) => rmSync(join(data, 'CURRENT'))],
  ])(
    '%s: the new store opens with what the plan says, no row is wrong, and the old one is untouched',
    async (_what, damage) => {
      using folder = openFolder();
      const data = folder.at('data');
      await writeEvidence(data);
      cpSync(data, folder.at('whole'), { recursive: true });
      const whole = await rowsOf(folder.at('whole'));
      damage(data);
      const before = takePicture(data);

      const page = folder.at('plan.html');
      const plan = await runKayactl(['--data', data, 'recover', '--plan', '--json', '--html', page]);
      const salvage = await runKayactl(['--data', data, 'recover', '--salvage', '--out', folder.at('saved')]);
      const again = await runKayactl(['--data', data, 'recover', '--salvage', '--out', folder.at('saved')]);

      const { report, waysOut } = JSON.parse(plan.stdout) as Plan;
      const way = waysOut.find(({ policy }) => policy === 'provable');
      expect({ exitCode: plan.exitCode, verdict: report.verdict }).toEqual({ exitCode: 3, verdict: 'corrupt' });
      expect(salvage).toMatchObject({ exitCode: 0, stderr: '' });
      expect(salvage.stdout).toContain(`check  kayactl --data ${folder.at('saved')} verify`);
      expect(again.exitCode).toBe(1);
      expect(takePicture(data)).toEqual(before);
      expect(existsSync(join(data, 'LOCK'))).toBe(false);
      expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/);
      expect((await runKayactl(['--data', folder.at('saved'), 'verify'])).exitCode).toBe(0);
      const saved = await rowsOf(folder.at('saved'));
      expect(saved.size).toBe(way?.rowCount);
      expect(saved.size).toBeGreaterThan(15);
      for (const [key, value] of saved) expect([key, value]).toEqual([key, whole.get(key)]);
      const [first] = saved.keys();
      expect(await kayactl('--data', folder.at('saved'), 'get', first!)).toBe(`${saved.get(first!)!.slice(1)}\n`);
    },
  );
});
