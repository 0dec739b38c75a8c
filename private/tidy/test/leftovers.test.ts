import { describe, expect, test } from 'vitest';

import { findFloatingCatalog, findFloatingVersions, findLeftovers, findLockfileHosts } from '../src/leftovers.ts';
import { filesMatching, repositoryFiles } from '../src/repository.ts';

describe('the tree', () => {
  test('has no notes of unfinished work and no trace of one machine', () => {
    const leftovers = findLeftovers(repositoryFiles());

    expect(leftovers).toEqual([]);
  });

  test('has a lockfile without a host name', () => {
    const [lockfile] = filesMatching(/^pnpm-lock\.yaml$/);

    const hosts = findLockfileHosts(lockfile?.text ?? 'https://missing');

    expect(hosts).toEqual([]);
  });

  test('pins every dependency exactly', () => {
    const manifests = filesMatching(/(?:^|\/)package\.json$/);
    const [workspace] = filesMatching(/^pnpm-workspace\.yaml$/);

    const floating = [...findFloatingVersions(manifests), ...findFloatingCatalog(workspace?.text ?? '')];

    expect(manifests.length).toBeGreaterThan(8);
    expect(floating).toEqual([]);
  });
});

describe('findLeftovers', () => {
  test.each([
    ['// TODO: later', 'TODO'],
    ['/* FIXME */', 'FIXME'],
    [`throw new Error('Not implemented');`, 'Not implemented'],
    ['see /Users/me/x', '/Users/'],
    [`'/home/me/data'`, '/home/me/'],
    ['registry=https://x.example', 'registry='],
    ['a verdaccio of ours', 'verdaccio'],
  ])('reports %j', (text, word) => {
    const leftovers = findLeftovers([{ path: 'docs/x.md', text: `\n${text}\n` }]);

    expect(leftovers).toHaveLength(1);
    expect(leftovers[0]).toContain(`docs/x.md:2: ${word}: `);
  });

  test.each(['mastodon', 'vi.stubEnv', '`${root}/work/x`', 'packages/work/x', '/tmp/x', 'a registry of readers'])(
    'accepts %j',
    (text) => {
      expect(findLeftovers([{ path: 'docs/x.md', text }])).toEqual([]);
    },
  );
});

describe('findLockfileHosts', () => {
  test.each(['    resolution: {tarball: x.tgz}', '  x: https://example.com/x.tgz', '  x: git+ssh://example.com/x'])(
    'reports %j',
    (line) => {
      expect(findLockfileHosts(`lockfileVersion: '9.0'\n${line}\n`)).toEqual([`2: ${line.trim()}`]);
    },
  );
});

describe('findFloatingVersions', () => {
  test.each(['^1.0.0', '~1.0.0', '1.x', '*', 'latest', '>=1.0.0', 'workspace:^'])('reports %s', (version) => {
    const text = JSON.stringify({ devDependencies: { a: version } });

    expect(findFloatingVersions([{ path: 'package.json', text }])).toEqual([`package.json: a: ${version}`]);
  });

  test.each(['1.0.0', '1.0.0-beta.1', 'catalog:', 'workspace:*'])('accepts %s', (version) => {
    const text = JSON.stringify({ dependencies: { a: version } });

    expect(findFloatingVersions([{ path: 'package.json', text }])).toEqual([]);
  });
});

describe('findFloatingCatalog', () => {
  test('reports a range in the catalog only', () => {
    const workspace = `packages:\n  - a/*\ncatalog:\n  a: 1.0.0\n  '@b/c': ^2.0.0\nother:\n  d: ^1.0.0\n`;

    expect(findFloatingCatalog(workspace)).toEqual(["'@b/c': ^2.0.0"]);
  });
});
