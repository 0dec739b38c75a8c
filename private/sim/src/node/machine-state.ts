/**
 * What the log of a simulated cluster is about: a small map, and a hash of everything that was ever applied, so that two replicas
 * that went different ways never look the same again.
 */

import { crc32c, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import type { Entry, LogIndex } from '@kayadb/raft';

import { decodeCommand } from './command.ts';

export interface MachineState {
  readonly index: LogIndex;
  readonly hash: number;
  /** How many commands were applied. */
  readonly count: number;
  /** The last command that wrote each key, by key. */
  readonly map: ReadonlyMap<number, number>;
}

export const EMPTY_STATE: MachineState = { index: 0, hash: 0, count: 0, map: new Map() };

/** The state behind `entry`. */
export function applyEntry(state: MachineState, { index, term, data }: Entry): MachineState {
  const { id, key } = decodeCommand(data);
  const hash = crc32c(data, (Math.imul(state.hash ^ index, 0x9e3779b1) + term) >>> 0) >>> 0;
  return { index, hash, count: state.count + 1, map: new Map(state.map).set(key, id) };
}

export function encodeState({ index, hash, count, map }: MachineState): Uint8Array {
  const entries = [...map].toSorted(([a], [b]) => a - b);
  return encodeUtf8(JSON.stringify([index, hash, count, entries]));
}

export function decodeState(bytes: Uint8Array): MachineState {
  const [index, hash, count, entries] = JSON.parse(decodeUtf8(bytes)) as [number, number, number, [number, number][]];
  return { index, hash, count, map: new Map(entries) };
}
