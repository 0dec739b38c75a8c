/** One store of a group: the engine, what of its rows is in memory, and the road of entries into it. */

import { type DiskState, type Engine, type EngineEvent, type EngineOptions, openEngine } from '@kayadb/engine';

import { storePath } from './group-folders.ts';
import { loadState, type MachineState } from './machine-state.ts';
import { type MachineTime, MachineWriter } from './machine-writer.ts';

export interface StoreSlot {
  /** Of the snapshot that it came with; 0 for the first. */
  readonly baseIndex: number;
  readonly engine: Engine;
  readonly state: MachineState;
  readonly writer: MachineWriter;
  /** As the engine last told it. */
  readonly diskState: () => DiskState;
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
  let told: DiskState | undefined;
  const onEvent = (event: EngineEvent): void => {
    if (event.kind === 'disk-space') told = event.state;
    options.onEvent?.(event);
  };
  const engine = await openEngine(storePath(directory, baseIndex), { ...options, onEvent, log: 'external' });
  try {
    const { diskState } = engine.stats();
    const state = await loadState(engine);
    const writer = new MachineWriter(engine, state, time);
    return { baseIndex, engine, state, writer, diskState: () => told ?? diskState };
  } catch (error) {
    await engine.close().catch(() => undefined);
    throw error;
  }
}
