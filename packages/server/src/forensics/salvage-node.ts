/**
 * Writes the users' rows of a node's directory into a new store of the embedded engine: what is left to do where no node can go on with the directory.
 *
 * Invariant: the directory is only read. Of a store that is whole, the rows are those of one state of the group; of a damaged one, those that the engine's salvage
 * vouches for by the policy. docs/decisions/20261122-salvage-of-a-node.md.
 */

import { type Engine, openEngine, type SalvageReport, salvageStore, type SalvagePolicy } from '@kayadb/engine';
import { RaftError } from '@kayadb/raft';

import { USER_END, userKey } from '../machine/rows.ts';
import { inspectNode, type InspectNodeOptions } from './inspect-node.ts';
import { requireStore } from './node-place.ts';
import type { NodeReport } from './node-report.ts';
import { type LogReach, type LogShare, type NodeRow, nodeRow, NodeRows } from './node-rows.ts';
import { publishFolder, removeTree } from './publish-folder.ts';
import { refuseStopped } from './refuse-stopped.ts';

export interface SalvageNodeOptions extends InspectNodeOptions {
  /** Which entries of the log are applied to a store that is whole. To a damaged one none are. */
  readonly log: LogShare;
  /** For a damaged store. */
  readonly policy: SalvagePolicy;
}

export interface NodeSalvage {
  readonly directory: string;
  readonly target: string;
  /** `whole`: of one state of the group. `damaged`: what a salvage of the store gave; `losses` says what is missing. */
  readonly kind: 'whole' | 'damaged';
  readonly rowCount: number;
  /** Of keys and values. */
  readonly bytes: number;
  /** The largest of a row. */
  readonly lastRevision: number;
  /** The entry of which they are the state; `null` of a damaged store. */
  readonly appliedIndex: number | null;
  /** How far the log goes; `null` where it was not asked or can not be read. */
  readonly reach: LogReach | null;
  /** Entries behind that which are not in the rows. */
  readonly entriesLeftOut: number;
  /** Of a damaged store. */
  readonly store: SalvageReport | null;
}

const BATCH_BYTES = 1024 * 1024;
type Copied = Pick<NodeSalvage, 'rowCount' | 'bytes' | 'lastRevision'>;

/** In the unfinished folder: what the engine vouches for, of which the users' rows are taken. */
const RAW_FOLDER = 'raw';

/**
 * Durability: the new store is complete and durable once it resolves; until then, and if it rejects, the name does not exist.
 *
 * @param target - Must not exist.
 * @throws CorruptionError when there is no store; DirectoryLockedError; EngineError KAYA_NOTHING_TO_SALVAGE, KAYA_ABORTED; FileSystemError.
 */
export async function salvageNode(
  directory: string,
  target: string,
  options: SalvageNodeOptions,
): Promise<NodeSalvage> {
  const report = await inspectNode(directory, options);
  const verdict = report.store?.verdict;
  const isWhole = (verdict === 'clean' || verdict === 'recoverable') && report.node !== null;
  return isWhole ? salvageWhole(report, target, options) : salvageDamaged(report, target, options);
}

async function salvageWhole(report: NodeReport, target: string, options: SalvageNodeOptions): Promise<NodeSalvage> {
  const { directory } = report;
  const rows = await openRows(report, options);
  try {
    const copied = await publishFolder(options.fs, target, (partial) => writeRows(rows.scan(), partial, options));
    const { appliedIndex } = rows;
    const reach = rows.reach ?? null;
    const last = reach?.lastIndex ?? report.log?.lastIndex ?? appliedIndex;
    return {
      directory,
      target,
      kind: 'whole',
      ...copied,
      appliedIndex,
      reach,
      entriesLeftOut: Math.max(0, last - appliedIndex),
      store: null,
    };
  } finally {
    await rows.close();
  }
}

/** A log that can not be read keeps nobody from the rows of the store. */
async function openRows({ directory, log }: NodeReport, options: SalvageNodeOptions): Promise<NodeRows> {
  try {
    return await NodeRows.open({ ...options, directory, log: log === null ? 'none' : options.log });
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
    return NodeRows.open({ ...options, directory, log: 'none' });
  }
}

async function salvageDamaged(report: NodeReport, target: string, options: SalvageNodeOptions): Promise<NodeSalvage> {
  const { fs, processes, clock, policy, signal } = options;
  const { directory } = report;
  const { folder } = await requireStore(fs, directory);
  return publishFolder(fs, target, async (partial) => {
    const raw = `${partial}/${RAW_FOLDER}`;
    const store = await salvageStore(fs, `${directory}/${folder}`, raw, {
      policy,
      processes,
      clock,
      showKeys: options.showKeys === true,
      ...(signal && { signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
    const engine = await openEngine(raw, { fileSystem: fs, processes, clock, createIfMissing: false });
    let copied: Copied;
    try {
      copied = await writeRows(rowsOf(engine), partial, options);
    } finally {
      await engine.close();
    }
    await removeTree(fs, raw);
    return {
      directory,
      target,
      kind: 'damaged',
      ...copied,
      appliedIndex: null,
      reach: null,
      entriesLeftOut: 0,
      store,
    };
  });
}

async function* rowsOf(engine: Engine): AsyncGenerator<NodeRow, void, undefined> {
  for await (const row of engine.scan({ gte: userKey(new Uint8Array(0)), lt: USER_END })) yield nodeRow(row);
}

async function writeRows(
  rows: AsyncIterable<NodeRow>,
  directory: string,
  { fs, processes, clock, signal }: SalvageNodeOptions,
): Promise<Copied> {
  const engine = await openEngine(directory, { fileSystem: fs, processes, clock, durability: 'relaxed' });
  let rowCount = 0;
  let bytes = 0;
  let lastRevision = 0;
  let batch: { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }[] = [];
  let batchBytes = 0;
  const write = async (): Promise<void> => {
    refuseStopped(signal);
    await engine.batch(batch);
    batch = [];
    batchBytes = 0;
  };
  try {
    for await (const { key, value, revision } of rows) {
      batch.push({ kind: 'put', key, value });
      batchBytes += key.length + value.length;
      bytes += key.length + value.length;
      lastRevision = Math.max(lastRevision, revision);
      rowCount++;
      if (batchBytes >= BATCH_BYTES) await write();
    }
    if (batch.length > 0) await write();
    await engine.flush();
  } finally {
    await engine.close();
  }
  return { rowCount, bytes, lastRevision };
}
