/** docs/operating/corruption.md, followed step by step on a damaged store: what it tells an operator to type works, and what it says of each file is so. */

import { readFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { flip, manifestName, namesEnding, writeEvidence } from './support/evidence.ts';
import { kayactl, runKayactl } from './support/processes.ts';
import { Reader, type Typed } from './support/reader.ts';
import { type Folder, openFolder, ROOT } from './support/repository.ts';
import { shellBlocks } from './support/shell-blocks.ts';

const PAGE = 'docs/operating/corruption.md';
/** In a data block of the first table. */
const TABLE_OFFSET = 500;

/** A store with a damaged table, and a backup from before, where the page expects them. */
async function writeDamagedStore(folder: Folder): Promise<void> {
  await writeEvidence(folder.at('sound'));
  await writeEvidence(folder.at('data'));
  await kayactl('--data', folder.at('sound'), 'backup', folder.at('backup'));
  flip(folder.at('data'), namesEnding(folder.at('data'), '.sst')[0]!, TABLE_OFFSET);
}

async function typeAll(reader: Reader): Promise<readonly Typed[]> {
  const typed: Typed[] = [];
  for (const block of shellBlocks(readFileSync(join(ROOT, PAGE), 'utf8'))) typed.push(await reader.type(block));
  return typed;
}

describe('the page about damage', { timeout: 120_000 }, () => {
  test('leads from a damaged store to a sound one, and leaves the damaged one as it was', async () => {
    await using reader = new Reader();
    await writeDamagedStore(reader.folder);
    const damaged = namesEnding(reader.folder.at('data'), '.sst')[0]!;
    const damagedBytes = readFileSync(reader.folder.at('data', damaged));

    const typed = await typeAll(reader);
    const rows = await kayactl('--data', reader.folder.at('data'), 'scan');
    const restored = await kayactl('--data', reader.folder.at('restored'), 'scan');

    expect(typed.map(({ block, exitCode, stderr }) => `${PAGE}:${block.line}: ${exitCode}: ${stderr}`)).toEqual(
      typed.map(({ block }) => expect.stringMatching(new RegExp(`^${PAGE}:${block.line}: 0: `))),
    );
    expect(typed.length).toBeGreaterThanOrEqual(8);
    const printed = typed.map(({ stdout }) => stdout).join('');
    expect(printed).toMatch(/^DAMAGE: 0+\d+\.sst at offset \d+: .*checksum/m);
    expect(printed).toContain('exit status 3');
    expect(printed).toMatch(/WAYS OUT, best first/);
    expect(readFileSync(reader.folder.at('plan.html'), 'utf8')).toContain('<svg');
    expect(JSON.parse(readFileSync(reader.folder.at('report.json'), 'utf8'))).toMatchObject({ verdict: 'corrupt' });
    expect(rows.split('\n').length).toBeGreaterThan(80);
    expect(restored.split('\n').length).toBeGreaterThan(rows.split('\n').length);
    expect(readFileSync(reader.folder.at('data.damaged', damaged))).toEqual(damagedBytes);
  });

  test.each([
    [
      'CURRENT',
      () => 'CURRENT',
      20,
      'refused',
      /known by MANIFEST-\d+, which is whole, though CURRENT does not name it/,
    ],
    ['the manifest', manifestName, 100, 'refused', /WAYS OUT/],
    ['the log', (folder: string) => namesEnding(folder, '.wal')[0]!, 100, 'refused', /SALVAGE what is provably good/],
    ['a table', (folder: string) => namesEnding(folder, '.sst')[0]!, TABLE_OFFSET, 'opens', /1 place in 1 file/],
  ] as const)('says of damage in %s what the tools say', async (_what, nameIn, offset, outcome, plan) => {
    using folder = openFolder();
    const data = folder.at('data');
    await writeEvidence(data);
    const name = nameIn(data);
    flip(data, name, offset);

    const report = await runKayactl(['--data', data, 'recover', '--dry-run', '--json']);
    const planned = await runKayactl(['--data', data, 'recover', '--plan']);
    const opened = await runKayactl(['--data', data, 'stats']);
    const salvaged = await runKayactl(['--data', data, 'recover', '--salvage', '--out', folder.at('salvaged')]);

    const { verdict, opening, damage } = JSON.parse(report.stdout);
    expect({ exitCode: report.exitCode, verdict, outcome: opening.outcome }).toEqual({
      exitCode: 3,
      verdict: 'corrupt',
      outcome,
    });
    expect(damage[0].file).toBe(name);
    expect(planned).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(plan) });
    expect(opened.exitCode).toBe(outcome === 'refused' ? 3 : 0);
    expect(opened.stderr).toMatch(outcome === 'refused' ? new RegExp(`${name} .*offset`) : /^$/);
    expect(salvaged.exitCode).toBe(0);
    expect(await kayactl('--data', folder.at('salvaged'), 'verify')).toMatch(/^CLEAN/);
  });

  test('says that a copy of a file from elsewhere is refused', async () => {
    using folder = openFolder();
    await writeEvidence(folder.at('a'));
    await writeEvidence(folder.at('b'));
    const name = namesEnding(folder.at('a'), '.sst')[0]!;
    renameSync(folder.at('a', name), folder.at('b', name));

    const { exitCode, stdout } = await runKayactl(['--data', folder.at('b'), 'verify']);

    expect({ exitCode, stdout }).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(`DAMAGE: ${name}`) });
    expect(readdirSync(folder.at('b'))).toContain(name);
  });
});
