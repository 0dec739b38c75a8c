/** Two processes that want one folder: the second one is told who has it, and changes nothing. */

import { openEngine } from '@kayadb/engine';
import { describe, expect, test } from 'vitest';

import { kayactl, type ProcessResult, runKayactl } from './support/processes.ts';
import { dryRun, dryRunNode } from './support/recovery.ts';
import { openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const NODES_FOLDER = /^ERROR: .* is the directory of a node, which only the node itself writes to\nHINT: .*$/m;
const LOCKED = /^ERROR: .*LOCK is held by process \d+ on host .*, which is running; .*\nHINT: .*$/m;

function runAll(data: string, commands: readonly (readonly string[])[]): Promise<readonly ProcessResult[]> {
  return Promise.all(commands.map((argv) => runKayactl(['--data', data, ...argv])));
}

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

  test('refuses what kayactl --data reads of a node, with 6, and points to --server', async () => {
    using folder = openFolder();
    await using node = await ServerProcess.start(folder.at('data'));
    await kayactl('--server', node.address, 'put', 'k', 'v');

    const refused = await runAll(folder.at('data'), [['get', 'k'], ['scan'], ['export', '-']]);

    for (const { exitCode, stdout, stderr } of refused) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: '' });
      expect(stderr).toMatch(LOCKED);
      expect(stderr).toContain('--server HOST:PORT');
    }
    expect(await kayactl('--server', node.address, 'get', 'k')).toBe('v\n');
  });

  test('refuses what kayactl --data does with stores alone, with 4, and points to --server', async () => {
    using folder = openFolder();
    await using node = await ServerProcess.start(folder.at('data'));
    await kayactl('--server', node.address, 'put', 'k', 'v');

    const refused = await runAll(folder.at('data'), [['put', 'k', 'other'], ['flush'], ['stats']]);

    for (const { exitCode, stdout, stderr } of refused) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
      expect(stderr).toMatch(NODES_FOLDER);
      expect(stderr).toContain('--server HOST:PORT');
    }
    expect(await kayactl('--server', node.address, 'get', 'k')).toBe('v\n');
  });

  test('is inspected all the same, and the report says that it is live', async () => {
    using folder = openFolder();
    await using node = await ServerProcess.start(folder.at('data'));
    await kayactl('--server', node.address, 'put', 'k', 'v');

    const { exitCode, report } = await dryRunNode(folder.at('data'));
    const text = await kayactl('--data', folder.at('data'), 'recover', '--dry-run');

    expect({ exitCode, live: report.live, verdict: report.verdict }).toEqual({
      exitCode: 0,
      live: true,
      verdict: 'clean',
    });
    expect(report.log?.lastIndex).toBeGreaterThan(1);
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
    const { report } = await dryRunNode(folder.at('data'));
    await using restarted = await ServerProcess.start(folder.at('data'));

    expect(got).toMatchObject({ exitCode: 0, stdout: 'v\n' });
    expect(report).toMatchObject({ live: false, lock: { state: 'stale', pid: node.child.pid } });
    expect(report.warnings).toContainEqual(expect.stringContaining(`was not closed by process ${node.child.pid} `));
    expect(await kayactl('--server', restarted.address, 'get', 'k')).toBe('v\n');
  });
});

describe('the folder of a store that a process has open', { timeout: 60_000 }, () => {
  test('refuses kayactl --data with 6, and points to --server', async () => {
    using folder = openFolder();
    await using engine = await openEngine(folder.at('data'));
    await engine.put('k', 'v');
    const commands = [['get', 'k'], ['put', 'k', 'other'], ['scan'], ['export', '-'], ['flush'], ['stats']];

    const refused = await runAll(folder.at('data'), commands);
    const { report } = await dryRun(folder.at('data'));

    for (const { exitCode, stdout, stderr } of refused) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: '' });
      expect(stderr).toMatch(LOCKED);
      expect(stderr).toContain('--server HOST:PORT');
    }
    expect({ live: report.live, pid: report.lock.pid }).toEqual({ live: true, pid: process.pid });
    expect(Buffer.from((await engine.get('k'))!).toString()).toBe('v');
  });
});
