/**
 * A reader who types a page's commands, as they stand, into bash. Two things differ from a clone: `corepack` is a
 * short script that runs what the root's package.json runs, without a build; and the node takes a free port, which is
 * put in place of the documented one. The folder has the parts of a clone that commands name.
 */

import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type ProcessResult, runProgram } from './processes.ts';
import { type Folder, openFolder, ROOT } from './repository.ts';
import { ServerProcess } from './server-process.ts';
import type { ShellBlock } from './shell-blocks.ts';

const DOCUMENTED_ADDRESS = '127.0.0.1:7379';
/** A command whose whole line runs a node until it is stopped. */
const START = /^corepack pnpm start\b.*\n?/gm;
/** The first is what is running the reader; the second has a test of its own, cluster-pages.test.ts. */
const ELSEWHERE = /^corepack pnpm (?:test|cluster)\b.*\n?/gm;
const SHELL_FUNCTION = /^\w+\(\) \{.*\}$/gm;

export interface Typed extends ProcessResult {
  readonly block: ShellBlock;
}

export class Reader implements AsyncDisposable {
  readonly folder: Folder = openFolder();
  readonly #functions: string[] = [];
  #node: ServerProcess | undefined;

  constructor() {
    for (const name of ['apps', 'packages']) symlinkSync(join(ROOT, name), this.folder.at(name));
    mkdirSync(this.folder.at('.bin'));
    writeFileSync(this.folder.at('.bin', 'corepack'), CORE_PACK);
    chmodSync(this.folder.at('.bin', 'corepack'), 0o755);
  }

  /** Types one block. Prose before it that says so stops the node first; `corepack pnpm start` gets a terminal of its own. */
  async type(block: ShellBlock): Promise<Typed> {
    if (block.isAfterCtrlC) await this.#pressCtrlC();
    const inThisTerminal = block.script.replaceAll(START, '');
    if (inThisTerminal !== block.script) await this.#start();
    const script = inThisTerminal.replaceAll(ELSEWHERE, '');
    const address = this.#node?.address ?? DOCUMENTED_ADDRESS;
    const lines = ['set -e -o pipefail', ...this.#functions, script.replaceAll(DOCUMENTED_ADDRESS, address)];
    this.#functions.push(...(script.match(SHELL_FUNCTION) ?? []));
    const result = await runProgram('bash', ['-c', lines.join('\n')], {
      cwd: this.folder.path,
      env: { PATH: `${this.folder.at('.bin')}:${process.env['PATH'] ?? ''}` },
    });
    return { ...result, stdout: result.stdout.replaceAll(address, DOCUMENTED_ADDRESS), block };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node?.kill();
    this.folder[Symbol.dispose]();
  }

  async #start(): Promise<void> {
    if (this.#node?.isRunning === true) throw new Error('the page starts a second node while the first runs');
    this.#node = await ServerProcess.start('./data', { cwd: this.folder.path });
  }

  async #pressCtrlC(): Promise<void> {
    if (this.#node?.isRunning !== true) throw new Error('the page stops a node that does not run');
    this.#node.child.kill('SIGINT');
    const { exitCode, stderr } = await this.#node.ended;
    if (exitCode !== 0) throw new Error(`the node ended with ${exitCode}: ${stderr}`);
  }
}

/** The root's scripts, as far as pages use them. */
export function rootScripts(): Readonly<Record<string, string>> {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return manifest.scripts;
}

const CORE_PACK = `#!/bin/sh
if [ "$1 $2 $3" != "pnpm -s kayactl" ]; then echo "not a command of this page's tests: corepack $*" >&2; exit 97; fi
shift 3
exec '${process.execPath}' apps/kayactl/bin/kayactl.js "$@"
`;
