/** What a crash leaves of a disk that failed: the store opens, holds what its model allows, verifies, takes writes and closes. */

import { type EngineOptions, verifyBackup } from '@kayadb/engine';
import type { MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY, ProofWorld } from '../workload/proof-world.ts';
import { type Content, sameContent } from '../workload/workload.ts';
import { contentOf, describeContent } from './content-of.ts';
import { COPIES } from './fault-run.ts';
import type { StoreModel } from './store-model.ts';

export interface SurvivorsExpected {
  readonly model: StoreModel;
  /** Whether what was not durable may be gone. */
  readonly isLossy: boolean;
  /** What each directory below `/copies` holds that was acknowledged. */
  readonly copies: ReadonlyMap<string, Content>;
  /** The same of all that were begun. They may be there, but only whole. */
  readonly begunCopies: ReadonlyMap<string, Content>;
  readonly options: EngineOptions;
}

/** Opens the store on `disk`, which a crash has left. @returns What is wrong. */
export async function checkSurvivors(disk: MemoryFileSystem, expected: SurvivorsExpected): Promise<readonly string[]> {
  const { model, isLossy, options } = expected;
  disk.setCapacity(undefined);
  const world = new ProofWorld(disk);
  const wrong: string[] = [];
  try {
    const engine = await world.open({ ...options, createIfMissing: false });
    const found = await contentOf(engine);
    if (!model.allows(engine, found, isLossy)) wrong.push(`${DIRECTORY} holds ${describeContent(found)}`);
    const { damage } = await engine.verify();
    for (const { message } of damage) wrong.push(message);
    await engine.close();
    if (disk.openHandles > 0) wrong.push(`${disk.openHandles} files stay open`);
  } catch (error) {
    wrong.push(`${DIRECTORY} does not open, verify and close: ${String(error)}`);
  }
  wrong.push(...(await checkCopies(disk, expected)));
  return wrong;
}

async function checkCopies(disk: MemoryFileSystem, expected: SurvivorsExpected): Promise<readonly string[]> {
  const { copies, begunCopies, options } = expected;
  const wrong: string[] = [];
  const names = (await disk.readDirectory(COPIES)).map(({ name }) => `${COPIES}/${name}`);
  for (const path of names.filter((name) => !name.endsWith('.partial'))) {
    const content = begunCopies.get(path);
    wrong.push(
      ...(content === undefined ? [`nobody has made ${path}`] : await checkCopy(disk, path, content, options)),
    );
  }
  for (const path of copies.keys()) if (!names.includes(path)) wrong.push(`${path} is gone`);
  return wrong;
}

async function checkCopy(
  disk: MemoryFileSystem,
  path: string,
  content: Content,
  options: EngineOptions,
): Promise<readonly string[]> {
  try {
    if (path.endsWith('/backup')) {
      await verifyBackup(path, { fileSystem: disk });
      return [];
    }
    const engine = await new ProofWorld(disk).open({ ...options, createIfMissing: false }, path);
    const found = await contentOf(engine);
    await engine.close();
    return sameContent(found, content) ? [] : [`${path} holds ${describeContent(found)}`];
  } catch (error) {
    return [`${path} is not whole: ${String(error)}`];
  }
}
