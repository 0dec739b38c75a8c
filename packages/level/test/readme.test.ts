/** The program that README.md shows does what it says. */

import { spawnSync } from 'node:child_process';
import { readFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { openFolder } from './support/test-folder.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

describe('the example of README.md', () => {
  test('runs as it stands', { timeout: 60_000 }, async () => {
    await using folder = await openFolder();
    const [, example = ''] = /```js\n(.*?)```/s.exec(await readFile(join(PACKAGE, 'README.md'), 'utf8')) ?? [];
    const modules = join(folder.path, 'node_modules');
    await mkdir(join(modules, '@kayadb'), { recursive: true });
    await symlink(PACKAGE, join(modules, '@kayadb', 'level'));
    await symlink(join(ROOT, 'node_modules', 'tsx'), join(modules, 'tsx'));
    await writeFile(join(folder.path, 'example.mjs'), example);

    const argv = ['--import', 'tsx', '--conditions=@kayadb/source', 'example.mjs'];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: folder.path, encoding: 'utf8' });

    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'user/2 Grace\nuser/3 Edsger\nundefined Grace\n',
      stderr: '',
    });
  });
});
