/** The program that README.md shows does what it says. */

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, onTestFinished, test } from 'vitest';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

describe('the example of README.md', () => {
  test('runs as it stands, and prints what it should', { timeout: 60_000 }, async () => {
    const path = await mkdtemp(join(tmpdir(), 'kayadb-readme-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    const [, example = ''] = /```js\n(.*?)```/s.exec(await readFile(join(PACKAGE, 'README.md'), 'utf8')) ?? [];
    const program = example.replace("'./my-data'", JSON.stringify(join(path, 'my-data')));

    // In the package's own folder, it finds the package under its own name.
    const argv = ['--import', 'tsx', '--conditions=@kayadb/source', '--input-type=module', '--eval', program];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: PACKAGE, encoding: 'utf8' });

    expect(program).not.toBe(example);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'user/2 Grace\nuser/3 Edsger\nGrace\n',
      stderr: '',
    });
  });
});
