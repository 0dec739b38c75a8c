/** The examples of docs/guide/client.md are type-checked, and run one after the other against a real node: they print what the page says. */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type RunningNode, startNode } from '@kayadb/server';
import { nodeRandom, seededRandom, testSeed } from '@kayadb/testkit';
import { formatEndpoint, nodeNetwork } from '@kayadb/transport';
import { fakeProcessTable, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { systemClock } from '../src/index.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = join(ROOT, 'docs/guide/client.md');
const TIMEOUT_MS = 60_000;

interface Example {
  readonly code: string;
  readonly isRun: boolean;
  /** What the page says it prints. */
  readonly output: string;
}

async function readExamples(): Promise<readonly Example[]> {
  const page = await readFile(PAGE, 'utf8');
  const blocks = page.matchAll(/^```ts( no-run)?\n([^]*?)^```\n(?:\n```text\n([^]*?)^```$)?/gm);
  return Array.from(blocks, ([, mark, code = '', output = '']) => ({ code, isRun: mark === undefined, output }));
}

/** A folder in which the packages can be imported by their names. */
async function openFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'kayadb-guide-'));
  await mkdir(join(path, 'node_modules', '@kayadb'), { recursive: true });
  await symlink(join(ROOT, 'packages/client'), join(path, 'node_modules/@kayadb/client'));
  await symlink(join(ROOT, 'node_modules/@types'), join(path, 'node_modules/@types'));
  await writeFile(join(path, 'package.json'), '{"type":"module"}');
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

async function startLoneNode(): Promise<RunningNode> {
  const fileSystem = new MemoryFileSystem();
  const processes = fakeProcessTable();
  const clock = systemClock();
  const random = seededRandom(testSeed());
  const node = await startNode({
    fileSystem,
    processes,
    network: nodeNetwork({ clock }),
    clock,
    wallClock: () => Date.UTC(2026, 10, 22) + Math.floor(clock.now()),
    random: nodeRandom(random),
    yieldTurn: () => new Promise(setImmediate),
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    version: '0.0.0-test',
    nodeId: 1,
    directory: '/data',
    engine: { fileSystem, processes },
    clientAddress: { host: '127.0.0.1', port: 0 },
    peerAddress: { host: '127.0.0.1', port: 0 },
  });
  await node.ready;
  return node;
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, ...argv: readonly string[]): Promise<Ended> {
  const child = spawn(file, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const parts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (parts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (parts.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, ...parts }));
  });
}

describe('docs/guide/client.md', () => {
  test(
    'has examples that type-check as strictly as this repository',
    async () => {
      const examples = await readExamples();
      await using folder = await openFolder();
      const base = JSON.parse(await readFile(join(ROOT, 'tsconfig.base.json'), 'utf8')) as {
        compilerOptions: Record<string, unknown>;
      };
      const { composite: _, declaration: __, declarationMap: ___, ...options } = base.compilerOptions;
      // Packages are read as their sources here, which need what is declared beside them.
      const include = ['*.ts', join(ROOT, 'packages/codec/src/**/*.d.ts')];
      const config = { compilerOptions: { ...options, noEmit: true }, include };
      await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(config));
      await writeFile(join(folder.path, 'page.ts'), programOf(examples.filter(({ isRun }) => isRun)));
      await writeFile(join(folder.path, 'apart.ts'), programOf(examples.filter(({ isRun }) => !isRun)));

      const checked = await run(join(ROOT, 'node_modules/.bin/tsc'), '-p', folder.path);

      expect(examples.length).toBeGreaterThan(8);
      expect(checked).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    },
    TIMEOUT_MS,
  );

  test(
    'has examples that print what it says',
    async () => {
      const examples = (await readExamples()).filter(({ isRun }) => isRun);
      await using folder = await openFolder();
      await using node = await startLoneNode();
      const program = programOf(examples).replaceAll(/10\.0\.0\.\d:7379/g, formatEndpoint(node.address));
      const path = join(folder.path, 'page.ts');
      await writeFile(path, program);

      const ended = await run(process.execPath, '--import', 'tsx', '--conditions=@kayadb/source', path);

      expect(ended).toEqual({ exitCode: 0, stdout: examples.map(({ output }) => output).join(''), stderr: '' });
    },
    TIMEOUT_MS,
  );
});

function programOf(examples: readonly Example[]): string {
  return examples.map(({ code }) => code).join('\n');
}
