/** Options: those that programs give, and those that abstract-level hands to its implementations. */

import type { EngineOptions, KeyRange, ReadOptions, WriteOptions } from '@kayadb/engine';
import type { AbstractDatabaseOptions, AbstractOpenOptions } from 'abstract-level';

import type { Format } from './formats.ts';
import { KayaSnapshot } from './kaya-snapshot.ts';
import { type LevelKey, toEngineKey } from './level-key.ts';

/** Options of the engine that make sense under Level: its own say whether to create, and the log is always the engine's. */
export type KayaEngineOptions = Omit<EngineOptions, 'createIfMissing' | 'log'>;

export interface KayaOpenOptions extends AbstractOpenOptions {
  /** For the engine: memory, compression, events. `durability` is `interval` unless said otherwise here. */
  readonly engine?: KayaEngineOptions | undefined;
}

export interface KayaLevelOptions<K, V> extends AbstractDatabaseOptions<K, V>, Omit<KayaOpenOptions, 'passive'> {}

/** Of everything that writes. */
export interface SyncOption {
  /**
   * True: once the promise resolves, this write and all before it survive power loss. Otherwise the database's durability holds,
   * which this option never weakens. Default false.
   */
  readonly sync?: boolean | undefined;
}

/** What abstract-level adds before it calls `_get` and the like: formats for encodings, bounds already encoded. */
export interface PrivateReadOptions {
  readonly keyEncoding: Format;
  readonly valueEncoding: Format;
  readonly snapshot?: unknown;
}

export interface PrivateRangeOptions extends PrivateReadOptions {
  readonly gt?: LevelKey;
  readonly gte?: LevelKey;
  readonly lt?: LevelKey;
  readonly lte?: LevelKey;
  readonly reverse: boolean;
  /** -1: none. */
  readonly limit: number;
}

export interface PrivateIteratorOptions extends PrivateRangeOptions {
  readonly keys?: boolean;
  readonly values?: boolean;
  readonly signal?: AbortSignal | null;
}

const SYNC: WriteOptions = { durability: 'strict' };

export function toWriteOptions(options: SyncOption): WriteOptions | undefined {
  return options.sync === true ? SYNC : undefined;
}

/** @throws TypeError for a snapshot of another kind of database. */
export function toReadOptions(snapshot: unknown): ReadOptions | undefined {
  if (snapshot === undefined || snapshot === null) return undefined;
  if (!(snapshot instanceof KayaSnapshot)) throw new TypeError('snapshot must be one that this database made');
  return { snapshot: snapshot.inner };
}

/** Where both are given, `gte` wins over `gt` and `lte` over `lt`, as everywhere in Level. */
export function toKeyRange({ gt, gte, lt, lte }: PrivateRangeOptions): KeyRange {
  return {
    ...(gte !== undefined ? { gte: toEngineKey(gte) } : gt !== undefined && { gt: toEngineKey(gt) }),
    ...(lte !== undefined ? { lte: toEngineKey(lte) } : lt !== undefined && { lt: toEngineKey(lt) }),
  };
}
