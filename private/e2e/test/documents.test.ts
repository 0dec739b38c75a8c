/** The commands that documents show, typed as they stand: a document that rots fails here. */

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { runProgram } from './support/processes.ts';
import { Reader, rootScripts, type Typed } from './support/reader.ts';
import { dryRunNode } from './support/recovery.ts';
import { openFolder, plainEnvironment, ROOT } from './support/repository.ts';
import { codeBlock, shellBlocks } from './support/shell-blocks.ts';

const TIMEOUT_MS = 120_000;
const readPage = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Types all blocks of a page in order. */
async function typeAll(path: string): Promise<readonly Typed[]> {
  await using reader = new Reader();
  const typed: Typed[] = [];
  for (const block of shellBlocks(readPage(path))) typed.push(await reader.type(block));
  return typed;
}

/** How long something took is never the same. */
const withoutSeconds = (text: string): string => text.replaceAll(/\d+(?:\.\d+)? s$/gm, '... s');

describe('the commands of', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['README.md', 3],
    ['docs/guide/getting-started.md', 10],
  ])('%s all run and print what the page shows', async (path, atLeast) => {
    const typed = await typeAll(path);

    const failed = typed.filter(({ exitCode }) => exitCode !== 0);
    const shown = typed.filter(({ block }) => block.output !== undefined);
    expect(failed.map(({ block, exitCode, stderr }) => `${path}:${block.line}: ${exitCode}: ${stderr}`)).toEqual([]);
    expect(typed.length).toBeGreaterThanOrEqual(atLeast);
    expect(shown.map(({ stdout }) => withoutSeconds(stdout))).toEqual(
      shown.map(({ block }) => withoutSeconds(block.output ?? '')),
    );
    console.info(`${path}: ${typed.length} blocks of commands run, ${shown.length} outputs compared`);
  });

  test('the embedded example of README.md run as a program', async () => {
    using folder = openFolder();
    mkdirSync(folder.at('node_modules', '@kayadb'), { recursive: true });
    symlinkSync(join(ROOT, 'packages/engine'), folder.at('node_modules', '@kayadb', 'engine'));
    writeFileSync(folder.at('example.mjs'), codeBlock(readPage('README.md'), 'ts'));

    const result = await runProgram(process.execPath, ['example.mjs'], { cwd: folder.path });

    expect(result).toEqual({ exitCode: 0, stdout: 'user/2 Grace\n', stderr: '' });
  });
});

describe('the root scripts', { timeout: TIMEOUT_MS }, () => {
  test('build before they run, and leave signals to the program', () => {
    const { start, kayactl, 'kayadb-server': server } = rootScripts();

    expect(start).toMatch(
      /turbo run build .*&& exec node apps\/kayadb-server\/bin\/kayadb-server\.js --data \.\/data$/,
    );
    expect(server).toMatch(/&& exec node apps\/kayadb-server\/bin\/kayadb-server\.js$/);
    expect(kayactl).toMatch(/&& exec node apps\/kayactl\/bin\/kayactl\.js$/);
  });

  test('run kayactl through corepack and pnpm, with nothing else on standard output', async () => {
    const result = await runProgram('corepack', ['pnpm', '-s', 'kayactl', '--version']);

    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^kayactl \d+\.\d+\.\d+\n$/) });
  });

  test('run a node that Ctrl-C closes in good order, although pnpm passes the signal on once more', async () => {
    using folder = openFolder();
    const ports = ['--client-addr', '127.0.0.1:0', '--raft-addr', '127.0.0.1:0', '--no-metrics'];
    const argv = ['pnpm', '-s', 'kayadb-server', '--data', folder.at('data'), ...ports];

    const exitCode = await pressCtrlCWhenReady('corepack', argv);
    const { report } = await dryRunNode(folder.at('data'));

    expect(exitCode).toBe(0);
    // What the node was writing for itself just then may be in its log alone.
    expect({ verdict: report.verdict, start: report.start, lock: report.lock.state }).toMatchObject({
      verdict: 'clean',
      start: { outcome: 'starts', entriesUndecided: 0 },
      lock: 'free',
    });
  });
});

/** As a terminal does: the signal goes to every process of the group. */
function pressCtrlCWhenReady(file: string, argv: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      cwd: ROOT,
      env: plainEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const signalGroup = (signal: NodeJS.Signals): void => void process.kill(-child.pid!, signal);
    const deadline = setTimeout(() => signalGroup('SIGKILL'), 60_000);
    let output = '';
    let isPressed = false;
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (isPressed || !output.includes('Ctrl-C stops it.')) return;
      isPressed = true;
      signalGroup('SIGINT');
    });
    child.on('error', reject);
    child.on('close', (exitCode) => {
      clearTimeout(deadline);
      resolve(exitCode);
    });
  });
}
