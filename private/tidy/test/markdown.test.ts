import { describe, expect, test } from 'vitest';

import {
  anchorsOf,
  findDeadLinks,
  findDeadMentions,
  headingsOf,
  linkedFiles,
  MAX_README_LINES,
} from '../src/markdown.ts';
import { filesMatching, repositoryHas } from '../src/repository.ts';

const pages = filesMatching(/\.md$/);

/** Pages of this stage that sources were written against before the pages were. */
const MENTIONED_AHEAD = [
  'docs/internals/durability.md',
  'docs/reference/kayactl.md',
  'docs/reference/server.md',
].filter((page) => !repositoryHas(page));

describe('the documents', () => {
  test('have no dead link', () => {
    const dead = findDeadLinks(pages, repositoryHas);

    expect(dead).toEqual([]);
  });

  test('are there when a source speaks of them, section and all', () => {
    const sources = filesMatching(/^(?:packages|apps|private\/(?!tidy\/)).*\.ts$/);

    const dead = findDeadMentions(sources, pages).filter(
      (line) => !MENTIONED_AHEAD.some((page) => line.includes(page)),
    );

    expect(dead).toEqual([]);
  });

  test('start with a README of one sitting', () => {
    const lines = pages.filter(({ path }) => path === 'README.md').map(({ text }) => text.trimEnd().split('\n').length);

    expect(Math.max(0, ...lines)).toBeLessThanOrEqual(MAX_README_LINES);
  });

  test('list every format page in docs/format/README.md', () => {
    const [index] = pages.filter(({ path }) => path === 'docs/format/README.md');
    const listed = index === undefined ? [] : linkedFiles(index);

    const unlisted = pages
      .map(({ path }) => path)
      .filter((path) => path.startsWith('docs/format/') && path !== index?.path && !listed.includes(path));

    expect(listed).not.toEqual([]);
    expect(unlisted).toEqual([]);
  });
});

describe('findDeadLinks', () => {
  const page = { path: 'docs/b.md', text: '# A title\n\n## Same\n\n## Same\n' };
  const exists = (path: string): boolean => ['docs/a.md', 'docs/b.md', 'LICENSE'].includes(path);

  test.each([
    ['[x](c.md)', 'no such file'],
    ['[x](b.md#b-title)', 'no such heading'],
    ['[x](b.md#same-2)', 'no such heading'],
    ['[x](#nowhere)', 'no such heading'],
    ['![x](c.png)', 'no such file'],
    ['[x](c.md "title")', 'no such file'],
    ['[x]: c.md', 'no such file'],
    ['[x](../../b.md)', 'leads out of the repository'],
    ['[x](/docs/b.md)', 'leads out of the repository'],
  ])('reports %s', (link, reason) => {
    const dead = findDeadLinks([{ path: 'docs/a.md', text: `first line\n${link}\n` }, page], exists);

    expect(dead).toHaveLength(1);
    expect(dead[0]).toMatch(new RegExp(`^docs/a\\.md:2: .*: ${reason}$`));
  });

  test.each([
    '[x](b.md)',
    '[x](b.md#a-title)',
    '[x](b.md#same-1)',
    '[x](../LICENSE)',
    '[x](https://example.com/c.md)',
    '`[x](c.md)`',
    '```\n[x](c.md)\n```',
  ])('accepts %j', (text) => {
    expect(findDeadLinks([{ path: 'docs/a.md', text }, page], exists)).toEqual([]);
  });
});

describe('findDeadMentions', () => {
  const page = { path: 'docs/format/wal.md', text: '# WAL\n\n## Records\n' };

  test.each([
    ['// See docs/format/wal.md.', []],
    ['// Format: docs/format/wal.md, "Records".', []],
    ['// See docs/format/log.md.', ['x.ts:1: docs/format/log.md: no such file']],
    ['// See docs/format/wal.md, "Records", "Blocks".', ['x.ts:1: docs/format/wal.md: no heading "Blocks"']],
  ])('judges %j', (text, expected) => {
    expect(findDeadMentions([{ path: 'x.ts', text }], [page])).toEqual(expected);
  });
});

describe('anchorsOf', () => {
  test('makes ids as GitHub does', () => {
    const text =
      '# `kayactl`: get & put\n## It\'s *here*\n## [A link](x.md), too\n```\n# code\n```\n<a id="own"></a>\n';

    expect([...anchorsOf(text)]).toEqual(['kayactl-get--put', 'its-here', 'a-link-too', 'own']);
  });
});

describe('headingsOf', () => {
  test('gives the text without marks', () => {
    expect(headingsOf('## `KAYA_IO`\ntext\n### B\n')).toEqual(['KAYA_IO', 'B']);
  });
});
