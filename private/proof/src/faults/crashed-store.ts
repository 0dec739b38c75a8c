/**
 * The disk on which a fault program begins: a store whose process has died in the middle of a flush. Opening it takes over a lock, replays
 * the log and removes a table that no edit names.
 */

import type { EngineOptions } from '@kayadb/engine';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';

import { ProofWorld } from '../workload/proof-world.ts';
import type { WorkloadWriteOp } from '../workload/workload.ts';
import { contentOf } from './content-of.ts';
import { COPIES } from './fault-run.ts';
import { ExternalLogModel, OwnLogModel, type StoreModel } from './store-model.ts';

export interface CrashedStore {
  /** Copies of it are for use. */
  readonly disk: MemoryFileSystem;
  readonly model: StoreModel;
}

const FLUSHED: readonly WorkloadWriteOp[] = [
  { kind: 'put', key: 'k0', value: 'o'.repeat(200) },
  { kind: 'put', key: 'k21', value: 'p'.repeat(200) },
  { kind: 'put', key: 'k5', value: 'q'.repeat(200) },
];
const LOGGED: readonly WorkloadWriteOp[] = [
  { kind: 'delete-range', prefix: 'k0' },
  { kind: 'put', key: 'k1', value: 'r'.repeat(100) },
];

/** As `crashedStore`, of a process that has closed it in order. */
export async function closedStore(options: EngineOptions): Promise<CrashedStore> {
  const { disk, model } = await crashedStore(options);
  const engine = await new ProofWorld(disk).open({ ...options, diskReserveBytes: 0 });
  model.adopt(engine, await contentOf(engine));
  await engine.close();
  model.noteDurable();
  return { disk, model };
}

/** @param asked - With which the store is used later too; a reserve is made only then. */
export async function crashedStore(asked: EngineOptions): Promise<CrashedStore> {
  const options: EngineOptions = { ...asked, diskReserveBytes: 0 };
  const memory = new MemoryFileSystem();
  await memory.makeDirectory(COPIES);
  await memory.syncDirectory('/');
  const isStrict = (options.durability ?? 'strict') === 'strict';
  const model = options.log === 'external' ? new ExternalLogModel() : new OwnLogModel(isStrict);
  const engine = await new ProofWorld(memory).open(options);
  for (const op of FLUSHED) await model.write(engine, { op, isConditional: false });
  await engine.flush();
  model.noteDurable();
  for (const op of LOGGED) await model.write(engine, { op, isConditional: false });
  let disk: MemoryFileSystem | undefined;
  const stop = memory.afterEachMutation(({ operation, path }) => {
    const isMidFlush = operation === 'sync' && path.endsWith('.sst');
    if (isMidFlush) disk ??= crashClone(memory, { kind: 'everything' }, () => 0);
  });
  await engine.flush();
  stop();
  await engine.close();
  if (disk === undefined) throw new Error('the flush syncs no table');
  return { disk, model };
}

/** The disk again, as it was, and its model. */
export function copyOf({ disk, model }: CrashedStore): CrashedStore {
  return { disk: crashClone(disk, { kind: 'everything' }, () => 0), model: model.fork() };
}
