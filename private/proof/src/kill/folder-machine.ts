/** A machine that stays up: processes die on it, and what they gave to the operating system stays. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Machine } from './kill-run.ts';

export class FolderMachine implements Machine, Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'kayadb-kill-'));

  root(): string {
    return this.#root;
  }

  afterLife(): void {
    // A dead process takes nothing along.
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
