/** What only a real process shows: exit statuses, signals, closed pipes, completion. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { finish, runProcess, startKayactl } from './kayactl-process.ts';

const TIMEOUT_MS = 60_000;

async function openFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'kayactl-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('the kayactl process', () => {
  test(
    'keeps data between two runs and ends with the status of the command',
    async () => {
      await using folder = await openFolder();
      const data = ['--data', join(folder.path, 'store')];

      const put = await runProcess(...data, 'put', 'k', 'v');
      const get = await runProcess(...data, 'get', 'k');
      const absent = await runProcess(...data, 'get', 'other');

      expect(put.exitCode).toBe(0);
      expect(get).toEqual({ exitCode: 0, stdout: 'v\n', stderr: '' });
      expect(absent).toMatchObject({ exitCode: 2, stdout: 'NOT_FOUND\n' });
    },
    TIMEOUT_MS,
  );

  test(
    'ends quietly when the reader of a long output goes away',
    async () => {
      await using folder = await openFolder();
      const data = ['--data', join(folder.path, 'store')];
      const input = join(folder.path, 'in.jsonl');
      const row = `"value":"${'v'.repeat(1000)}"}\n`;
      await writeFile(input, Array.from({ length: 3000 }, (_, at) => `{"key":"k${at}",${row}`).join(''));
      await runProcess(...data, 'import', input);
      const scan = startKayactl(...data, 'scan');
      const ended = finish(scan);

      await once(scan.stdout, 'data');
      scan.stdout.destroy();

      expect(await ended).toMatchObject({ exitCode: 0, stderr: '' });
    },
    TIMEOUT_MS,
  );

  test(
    'stops on Ctrl-C while it waits for input, and leaves a store that opens',
    async () => {
      await using folder = await openFolder();
      const data = ['--data', join(folder.path, 'store')];
      const acks = join(folder.path, 'acks');
      const importing = startKayactl(...data, 'import', '-', '--ack-log', acks);
      const ended = finish(importing);
      importing.stdin.write('{"key":"k","value":"v"}\n');
      await fileAppears(acks);

      importing.kill('SIGINT');
      const stopped = await ended;
      const health = await runProcess(...data, 'health');

      expect(stopped.exitCode).toBe(130);
      expect(stopped.stderr).toContain('ERROR: stopped before the end');
      expect(health).toMatchObject({ exitCode: 0, stdout: 'embedded\n' });
    },
    TIMEOUT_MS,
  );

  test(
    'writes completion scripts and answers shells',
    async () => {
      const [script, flags, commands] = await Promise.all([
        runProcess('completion', 'bash'),
        runProcess('complete', '--', 'get', '--'),
        runProcess('complete', '--', ''),
      ]);

      expect(script.stdout).toContain('# bash completion for kayactl');
      expect(commands.stdout).toContain('import\tstore the records of a JSON Lines file\n');
      expect(flags.stdout).toMatch(/^--raw\t[^]*^--server\t/m);
    },
    TIMEOUT_MS,
  );
});

/** The file is opened when the import has begun to wait for its input. */
async function fileAppears(path: string): Promise<void> {
  while (!existsSync(path)) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
