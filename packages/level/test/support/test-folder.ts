/** A folder of a test's own, gone with it; and databases in it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type KayaEngineOptions, KayaLevel, type KayaLevelOptions } from '../../src/index.ts';

/** Tables are made in this thread: the stores are small and many, and a thread for each would take longer than all tests. */
export const testEngine: KayaEngineOptions = { backgroundWork: 'inline' };

export interface TestFolder extends AsyncDisposable {
  readonly path: string;
}

export async function openFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'kayadb-level-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** An open database in a folder of its own; leaving the block closes it. */
export async function openLevel<K = string, V = string>(options?: KayaLevelOptions<K, V>): Promise<TestLevel<K, V>> {
  const folder = await openFolder();
  const db = new KayaLevel<K, V>(join(folder.path, 'db'), {
    ...options,
    engine: { ...testEngine, ...options?.engine },
  });
  await db.open();
  return {
    db,
    async [Symbol.asyncDispose]() {
      await db.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export interface TestLevel<K, V> extends AsyncDisposable {
  readonly db: KayaLevel<K, V>;
}

/** Puts `keys`, each with its own name as the value. */
export async function putAll(db: KayaLevel, keys: readonly string[]): Promise<void> {
  await db.batch(keys.map((key) => ({ type: 'put', key, value: `value of ${key}` })));
}
