import { describe, expect, test } from 'vitest';

import { findStrays } from '../src/homes.ts';
import { repositoryFiles } from '../src/repository.ts';

describe('files, sockets, clocks and randomness', () => {
  test('are touched only in their homes', () => {
    const strays = findStrays(repositoryFiles());

    expect(strays).toEqual([]);
  });
});

describe('findStrays', () => {
  test.each([
    ['packages/engine/src/x.ts', `import { open } from 'node:fs/promises';`, 'node:fs/promises'],
    ['packages/engine/src/x.test.ts', `import fs from 'fs';`, 'fs'],
    ['apps/kayactl/src/x.ts', `import { readFileSync } from 'node:fs';`, 'node:fs'],
    ['packages/server/src/x.ts', `import net from 'node:net';`, 'node:net'],
    ['packages/client/src/x.ts', `import tls from 'node:tls';`, 'node:tls'],
    ['packages/vfs/src/x.ts', `import timers from 'node:timers/promises';`, 'node:timers/promises'],
    ['packages/vfs/src/x.ts', 'const a = Date.now();', 'Date.now'],
    ['packages/codec/src/x.ts', 'const a = new Date( );', 'new Date( )'],
    ['packages/codec/src/x.ts', 'performance.now()', 'performance.now'],
    ['packages/codec/src/x.ts', 'process.hrtime.bigint()', 'process.hrtime'],
    ['packages/client/src/x.ts', 'setTimeout(f, 1)', 'setTimeout'],
    ['packages/client/src/x.test.ts', 'setInterval(f, 1)', 'setInterval'],
    ['packages/client/src/x.ts', 'Math.random()', 'Math.random'],
    ['packages/engine/src/x.ts', 'crypto.randomBytes(8)', 'crypto.randomBytes'],
    ['packages/engine/src/x.ts', `import { randomUUID } from 'node:crypto';`, 'import { randomUUID'],
  ])('reports in %s: %s', (path, text, what) => {
    const strays = findStrays([{ path, text }]);

    expect(strays).toHaveLength(1);
    expect(strays[0]).toContain(`${path}:1: ${what}: take `);
  });

  test.each([
    ['packages/vfs/src/x.ts', `import { open } from 'node:fs/promises';`],
    ['packages/transport/src/x.ts', `import net from 'node:net';`],
    ['apps/kayactl/src/main.ts', 'const a = Date.now() + Math.random();'],
    ['apps/kayactl/src/main.test.ts', `import fs from 'node:fs';`],
    ['packages/client/src/system-clock.ts', 'setTimeout(f, 1)'],
    ['packages/engine/src/x.ts', 'file(randomBytes(8))'],
    ['packages/codec/test/pages.test.ts', `import { readFileSync } from 'node:fs';`],
    ['packages/codec/src/x.ts', '// Date.now() is injected'],
    ['packages/codec/src/x.ts', 'new Date(modifiedMs)'],
    ['private/e2e/test/x.test.ts', `import net from 'node:net';`],
  ])('accepts in %s: %s', (path, text) => {
    expect(findStrays([{ path, text }])).toEqual([]);
  });
});
