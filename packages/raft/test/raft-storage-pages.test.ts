/** Holds the pages of a node's files to the code. */

import { FormatPage } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import * as fileHeader from '../src/storage/file-header.ts';
import * as fileNames from '../src/storage/file-names.ts';
import * as stateFormat from '../src/storage/hard-state-format.ts';
import * as identity from '../src/storage/raft-identity.ts';
import * as segmentFormat from '../src/storage/segment-format.ts';
import * as snapshotFormat from '../src/storage/snapshot-format.ts';

const pages = ['raft-log.md', 'raft-state.md', 'raft-snapshot.md'];
const { NEXT_SEGMENT_NAME: _next, SPARE_SEGMENT_NAME: _spare, LEFTOVER_NAMES: _leftovers, ...names } = fileNames;
// A transfer's files are not the storage's.
const { TRANSFER_MAGIC: _transfer, PROGRESS_MAGIC: _progress, ...headers } = fileHeader;
const modules: Readonly<Record<string, unknown>> = {
  ...headers,
  ...names,
  ...identity,
  ...segmentFormat,
  ...stateFormat,
  ...snapshotFormat,
};

function constantsOf(page: string): readonly (readonly [string, unknown])[] {
  return new FormatPage(page).rowsUnder('### Constants').map(([name, value]) => {
    const isNumber = /^(?:\d+|0x[0-9a-f]+)$/u.test(value!);
    return [name!, isNumber ? Number(value) : value] as const;
  });
}

describe('the pages of the Raft files', () => {
  test.each(pages)('%s: names constants with the values that the code has', (page) => {
    const onPage = constantsOf(page);

    const inCode = onPage.map(([name]) => [name, modules[name]]);

    expect(inCode).toEqual(onPage);
  });

  test('name every constant of the formats', () => {
    const onPages = new Set(pages.flatMap(constantsOf).map(([name]) => name));

    const missing = Object.keys(modules).filter((name) => /^[A-Z0-9_]+$/u.test(name) && !onPages.has(name));

    expect(missing).toEqual([]);
  });

  test('list every magic', () => {
    const onPage = new FormatPage('raft-log.md').rowsUnder('### Magic').map(([magic]) => magic);

    const inCode = Object.entries(fileHeader).flatMap(([name, value]) => (name.endsWith('_MAGIC') ? [value] : []));

    expect(new Set(onPage)).toEqual(new Set(inCode));
    expect(onPage).toHaveLength(inCode.length);
  });

  test('name the files as the code does', () => {
    const log = new FormatPage('raft-log.md').text;

    const found = [fileNames.segmentFileName(7), fileNames.NEXT_SEGMENT_NAME, fileNames.SPARE_SEGMENT_NAME].map(
      (name) => log.includes(`\`${name}\``),
    );

    expect(found).toEqual([true, true, true]);
  });
});
