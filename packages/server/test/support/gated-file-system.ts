/** A disk whose syncs can be held up: from `hold` on they begin, and end after `release`. */

import type { FileSystem } from '@kayadb/vfs';
import { InterceptedFileSystem, type Interceptor, type Operation } from '@kayadb/vfs/testing';

export class SyncGate implements Interceptor {
  readonly #waiting: (() => void)[] = [];
  #isShut = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  hold(): void {
    this.#isShut = true;
  }

  release(): void {
    this.#isShut = false;
    for (const pass of this.#waiting.splice(0)) pass();
  }

  async call<T>({ kind }: Operation, run: () => Promise<T>): Promise<T> {
    if (this.#isShut && (kind === 'sync' || kind === 'syncDirectory')) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    return run();
  }

  callSync<T>(_operation: Operation, run: () => T): T {
    return run();
  }
}

export function gated(fs: FileSystem, gate: SyncGate): FileSystem {
  return new InterceptedFileSystem(fs, gate);
}
