/** Two processes that want one folder: the second one is told who has it, and changes nothing. */

import { describe, expect, test } from 'vitest';

import { kayactl, runKayactl } from './support/processes.ts';
import { dryRun } from './support/recovery.ts';
import { openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const LOCKED = /^ERROR: .*LOCK is held by process \d+ on host .*, which is running; .*\nHINT: .*$/m;

describe('a folder that a node has open', { timeout: 60_000 }, () => {
  test('refuses a second node with 6, and the first serves on', async () => {
    using folder = openFolder();
    await using first = await ServerProcess.start(folder.at('data'));
    await kayactl('--server', first.address, 'put', 'k', 'v');

    const second = await ServerProcess.startAndFail(folder.at('data'));

    expect(second).toEqual({ exitCode: 6, stderr: expect.stringMatching(LOCKED) });
    expect(second.stderr).toContain(`process ${first.child.pid} `);
    expect(await kayactl('--server', first.address, 'get', 'k')).toBe('v\n');
  });

  test.each([['get', 'k'], ['put', 'k', 'other'], ['scan'], ['export', '-'], ['flush'], ['stats']])(
    'refuses kayactl --data %s with 6, and points to --server',
    async (...argv) => {
      using folder = openFolder();
      await using node = await ServerProcess.start(folder.at('data'));
      await kayactl('--server', node.address, 'put', 'k', 'v');

      const refused = await runKayactl(['--data', folder.at('data'), ...argv]);

      expect(refused).toMatchObject({ exitCode: 6, stdout: '', stderr: expect.stringMatching(LOCKED) });
      expect(refused.stderr).toContain('--server HOST:PORT');
      expect(await kayactl('--server', node.address, 'get', 'k')).toBe('v\n');
    },
  );

  test('is inspected all the same, and the report says that it is live', async () => {
    using folder = openFolder();
    await using node = await ServerProcess.start(folder.at('data'));
    await kayactl('--server', node.address, 'put', 'k', 'v');

    const { exitCode, report } = await dryRun(folder.at('data'));
    const text = await kayactl('--data', folder.at('data'), 'recover', '--dry-run');

    expect({ exitCode, live: report.live, verdict: report.verdict, last: report.lastSequence }).toEqual({
      exitCode: 0,
      live: true,
      verdict: 'clean',
      last: 1,
    });
    expect(report.lock).toMatchObject({ state: 'held', liveness: 'alive', pid: node.child.pid });
    expect(text).toContain(`LIVE: process ${node.child.pid} on `);
    expect(await kayactl('--server', node.address, 'get', 'k')).toBe('v\n');
  });

  test('is free again after kill -9', async () => {
    using folder = openFolder();
    await using node = await ServerProcess.start(folder.at('data'));
    await kayactl('--server', node.address, 'put', 'k', 'v');
    await node.kill();

    const got = await runKayactl(['--data', folder.at('data'), 'get', 'k']);

    expect(got).toMatchObject({ exitCode: 0, stdout: 'v\n' });
    expect(got.stderr).toContain(`was not closed by process ${node.child.pid} `);
  });
});
