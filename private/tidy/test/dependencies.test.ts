import { describe, expect, test } from 'vitest';

import { findForbiddenImports, findManifestDifferences, type DependencyTable } from '../src/dependencies.ts';
import { filesMatching, repositoryFiles } from '../src/repository.ts';

/** The table of the architecture. To change it is a design decision: give the reason in docs/decisions/. */
const TABLE: DependencyTable = {
  client: ['codec', 'transport'],
  codec: [],
  engine: ['codec', 'vfs'],
  level: ['engine'],
  raft: ['codec', 'vfs'],
  server: ['codec', 'engine', 'raft', 'transport', 'vfs'],
  transport: ['codec'],
  vfs: ['codec'],

  kayactl: ['client', 'codec', 'engine', 'server', 'vfs'],
  'kayadb-server': ['codec', 'engine', 'server', 'transport', 'vfs'],

  bench: ['engine', 'raft', 'vfs'],
  e2e: [],
  proof: [],
  'raft-exam': [],
  sim: [],
  testkit: [],
  tidy: [],
};

const manifests = filesMatching(/^(?:(?:packages|apps|private)\/[^/]+|bench)\/package\.json$/);

describe('the dependency table', () => {
  test('agrees with every package.json', () => {
    const differences = findManifestDifferences(manifests, TABLE);

    expect(differences).toEqual([]);
  });

  test('is kept by every import', () => {
    const violations = findForbiddenImports(repositoryFiles(), manifests, TABLE);

    expect(violations).toEqual([]);
  });
});

describe('findManifestDifferences', () => {
  test('reports a dependency too many, an unknown folder and a missing one', () => {
    const planted = [
      { path: 'packages/a/package.json', text: '{"dependencies":{"@kayadb/b":"workspace:*"}}' },
      { path: 'packages/b/package.json', text: '{}' },
    ];

    const differences = findManifestDifferences(planted, { a: [], c: [] });

    expect(differences).toEqual([
      'a depends on [b], the table says []',
      'b is not in the table',
      'c is in the table, but there is no such folder',
    ]);
  });
});

describe('findForbiddenImports', () => {
  const table = { a: ['b'], b: [], c: [], testkit: [] };
  const planted = [{ path: 'packages/a/package.json', text: '{"devDependencies":{"@kayadb/testkit":"workspace:*"}}' }];

  test.each([
    ['packages/a/src/x.ts', '@kayadb/c', 'not in the dependency table'],
    ['packages/a/src/x.ts', '@kayadb/testkit', 'not in the dependency table'],
    ['packages/a/src/x.ts', '@kayadb/b/testing', 'fakes are for tests'],
    ['packages/a/src/x.ts', '@kayadb/b/src/y.ts', 'packages are imported by name, or by name and /testing'],
    ['packages/a/src/x.ts', '@kayadb/a', 'a package imports its own files by path'],
    ['packages/a/src/x.ts', '../../b/src/y.ts', 'a path never leaves its package'],
    ['packages/a/src/x.ts', './testing/fake.ts', 'fakes are for tests'],
    ['packages/a/src/x.ts', './x.test.ts', 'a test is imported by nobody'],
    ['packages/a/src/x.test.ts', '@kayadb/c', 'neither in the dependency table nor in devDependencies'],
    ['packages/a/src/testing/x.ts', '@kayadb/testkit', 'fakes ship, so they cannot use testkit'],
  ])('refuses in %s the import of %s', (path, specifier, reason) => {
    const violations = findForbiddenImports([{ path, text: `import '${specifier}';` }], planted, table);

    expect(violations).toEqual([`${path}:1: ${specifier}: ${reason}`]);
  });

  test.each([
    ['packages/a/src/x.ts', '@kayadb/b'],
    ['packages/a/src/x.ts', './deep/y.ts'],
    ['packages/a/src/x.test.ts', '@kayadb/testkit'],
    ['packages/a/src/x.test.ts', '@kayadb/b/testing'],
    ['packages/a/src/testing/x.ts', '@kayadb/b/testing'],
  ])('accepts in %s the import of %s', (path, specifier) => {
    const violations = findForbiddenImports([{ path, text: `import '${specifier}';` }], planted, table);

    expect(violations).toEqual([]);
  });
});
