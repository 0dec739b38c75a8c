/** One store of a group: the engine, what of its rows is in memory, and the road of entries into it. */

import { type Engine, type EngineOptions, openEngine } from '@kayadb/engine';

import { storePath } from './group-folders.ts';
import { loadState, type MachineState } from './machine-state.ts';
import { type MachineTime, MachineWriter } from './machine-writer.ts';

export interface StoreSlot {
  /** Of the snapshot that it came with; 0 for the first. */
  readonly baseIndex: number;
  readonly engine: Engine;
  readonly state: MachineState;
  readonly writer: MachineWriter;
}

/**
 * @param directory - Of the group.
 * @throws What `openEngine` and `loadState` throw; nothing is open then.
 */
export async function openStore(
  directory: string,
  baseIndex: number,
  options: EngineOptions,
  time: MachineTime,
): Promise<StoreSlot> {
  const engine = await openEngine(storePath(directory, baseIndex), { ...options, log: 'external' });
  try {
    const state = await loadState(engine);
    return { baseIndex, engine, state, writer: new MachineWriter(engine, state, time) };
  } catch (error) {
    await engine.close().catch(() => undefined);
    throw error;
  }
}
