import { readFileSync } from 'node:fs';

import { decodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import * as backupFormat from '../src/backup/backup-format.ts';
import * as fileHeader from '../src/files/file-header.ts';
import * as internalKey from '../src/key/internal-key.ts';
import * as limits from '../src/limits.ts';
import * as logFormat from '../src/log/log-format.ts';
import * as tableMeta from '../src/version/table-meta.ts';
import * as versionEdit from '../src/version/version-edit.ts';
import * as walFormat from '../src/wal/wal-format.ts';
import { exampleBackupList } from './support/example-backup-list.ts';
import { parseConstant, readConstants, readConstantValues } from './support/format-page.ts';

describe('format pages', () => {
  test.each([
    ['files.md', fileHeader],
    ['record-log.md', logFormat],
    ['wal.md', { ...walFormat, ...internalKey, ...limits }],
    ['manifest.md', { ...versionEdit, ...tableMeta }],
    ['backup.md', backupFormat],
  ])('%s names the constants that the code has', (page, code) => {
    const documented = readConstantValues(page);

    const actual = Object.fromEntries(
      Object.keys(documented).map((name) => [name, (code as Record<string, unknown>)[name]]),
    );

    expect(actual).toEqual(documented);
  });

  test('has a row for every constant of the format modules that is not an inner offset', () => {
    const documented = ['files.md', 'record-log.md', 'wal.md', 'manifest.md', 'backup.md'].flatMap((page) => [
      ...readConstants(page).keys(),
    ]);

    const exported = [fileHeader, logFormat, walFormat, versionEdit, backupFormat].flatMap((module) =>
      Object.keys(module),
    );

    const constants = exported.filter((name) => /^[A-Z]/.test(name) && !name.endsWith('_AT'));
    expect(documented).toEqual(expect.arrayContaining(constants));
  });
});

test('backup.md prints a list as it is written', () => {
  const page = readFileSync(new URL('../../../docs/format/backup.md', import.meta.url), 'utf8');

  const text = decodeUtf8(backupFormat.encodeBackupList(exampleBackupList));

  expect(page).toContain(`\`\`\`\n${text}\`\`\`\n`);
});

describe('readConstants', () => {
  test('refuses a page without constants', () => {
    const read = (): unknown => readConstants('README.md');

    expect(read).toThrow('no table of constants');
  });

  test.each([
    ['64', 64],
    ['0x4b52', 0x4b52],
    ['KAYA-WAL', 'KAYA-WAL'],
  ])('reads %s as a number where it is one', (printed, value) => {
    expect(parseConstant(printed)).toBe(value);
  });
});
