/** A process that keeps a disk busy: it writes and syncs as fast as it can, so that the syncs of others on the same disk take long. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';

import { tiedNode } from './tied-command.ts';

/** Bound: the file is written over from its beginning when it is that long. */
const FILE_BYTES = 64 * 1024 * 1024;

const PROGRAM = `
const { openSync, writeSync, fsyncSync } = require('node:fs');
const handle = openSync(process.argv[1], 'w');
const chunk = Buffer.alloc(4 * 1024 * 1024, 1);
for (let at = 0; ; at = (at + chunk.length) % ${FILE_BYTES}) {
  writeSync(handle, chunk, 0, chunk.length, at);
  fsyncSync(handle);
}`;

export class DiskLoad implements AsyncDisposable {
  readonly #file: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** Begins at once. */
  constructor(file: string) {
    this.#file = file;
    const [program, ...argv] = tiedNode('-e', PROGRAM, file);
    this.#child = spawn(program, argv, { stdio: 'ignore' });
    this.#ended = once(this.#child, 'close');
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    rmSync(this.#file, { force: true });
  }
}
