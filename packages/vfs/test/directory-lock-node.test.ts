/** The lock on the real disk, between real processes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import {
  acquireDirectoryLock,
  DirectoryLockedError,
  inspectDirectoryLock,
  nodeFileSystem,
  nodeProcessTable,
  publishFile,
} from '../src/index.ts';
import { parseProcessStat } from '../src/lock/node-process-table.ts';

async function openDirectory(): Promise<{ readonly path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'kayadb-lock-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function startTicksOf(pid: number): number {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.startTicks ?? 0;
  } catch {
    return 0;
  }
}

describe('acquireDirectoryLock on the real disk', () => {
  test('refuses while another process lives, and takes over once it was killed', async () => {
    await using directory = await openDirectory();
    const fs = nodeFileSystem();
    const processes = nodeProcessTable();
    const script = `process.stdout.write('ready'); setInterval(() => {}, 1e6)`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const owner = { ...processes.self(), pid, startTicks: startTicksOf(pid), token: 'child', takenAt: 'now' };
    await writeFile(join(directory.path, 'LOCK'), JSON.stringify({ format: 1, ...owner }));

    await expect(acquireDirectoryLock(fs, directory.path, processes)).rejects.toThrow(DirectoryLockedError);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await acquireDirectoryLock(fs, directory.path, processes);

    expect(lock.tookOverFrom).toEqual(owner);
    expect(Date.parse(lock.owner.takenAt)).toBeGreaterThan(0);
    expect((await fs.readDirectory(directory.path)).map(({ name }) => name)).toEqual(['LOCK']);
    expect(await fs.stat(lock.path)).toMatchObject({ mode: 0o600 });
    await lock.release();
    expect(await inspectDirectoryLock(fs, directory.path, processes)).toEqual({ kind: 'free' });
  });

  test('lets one of many contenders in this process have it', async () => {
    await using directory = await openDirectory();
    const fs = nodeFileSystem();
    const processes = nodeProcessTable();

    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => acquireDirectoryLock(fs, directory.path, processes)),
    );

    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('publishFile on the real disk', () => {
  test('replaces a file, for its owner only', async () => {
    await using directory = await openDirectory();
    const fs = nodeFileSystem();
    await writeFile(join(directory.path, 'CURRENT'), 'old');
    await chmod(join(directory.path, 'CURRENT'), 0o644);

    await publishFile(fs, directory.path, 'CURRENT', Uint8Array.of(1, 2, 3));

    expect(await fs.readFile(join(directory.path, 'CURRENT'))).toEqual(Uint8Array.of(1, 2, 3));
    expect(await fs.stat(join(directory.path, 'CURRENT'))).toMatchObject({ mode: 0o600 });
    expect(await fs.readDirectory(directory.path)).toEqual([{ name: 'CURRENT', kind: 'file' }]);
  });
});
