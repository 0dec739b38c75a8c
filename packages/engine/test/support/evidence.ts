/** Stores as a killed process leaves them, and ways to damage them: what forensics are tested on. */

import type { FileSystem } from '@kayadb/vfs';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';

import type {
  Durability,
  Engine,
  EngineOptions,
  RecoveredFile,
  RecoveryReport,
  WalInspection,
} from '../../src/index.ts';
import { inspectFile, inspectStore } from '../../src/index.ts';
import { DIRECTORY, openTestEngine, testWorld } from './open-test-engine.ts';

/** Small tables and memtables, and no compaction, so that what a store consists of is known. */
export const evidenceOptions: EngineOptions = {
  memtableBytes: 4096,
  blockBytes: 256,
  tableBytes: 4096,
  level0Tables: 64,
  compression: 'none',
};

/** What a process leaves that is killed now: everything that it has written. */
export function afterKill(disk: MemoryFileSystem): MemoryFileSystem {
  return crashClone(disk, { kind: 'everything' }, () => 0);
}

export async function putMany(engine: Engine, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await engine.put(`key-${String(i).padStart(4, '0')}`, `${i}:${'v'.repeat(60)}`);
}

/** Three tables of several blocks, and a segment with records that are in none of them. */
export async function abandonedStore(
  options: { readonly seed?: number; readonly deletedPrefix?: string; readonly durability?: Durability } = {},
): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const { seed = 0, deletedPrefix = 'key-', durability = 'strict' } = options;
  const randomBytes = (count: number): Uint8Array =>
    Uint8Array.from({ length: count }, (_, i) => (i * 37 + seed) & 0xff);
  const engine = await openTestEngine(testWorld(disk), { ...evidenceOptions, randomBytes, durability });
  for (let table = 0; table < 3; table++) {
    await putMany(engine, table * 20, table * 20 + 20);
    await engine.delete(`${deletedPrefix}${table}`);
    await engine.flush();
  }
  await putMany(engine, 60, 70);
  return afterKill(disk);
}

/** Killed before the first write. */
export async function unwrittenStore(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  await openTestEngine(testWorld(disk), evidenceOptions);
  return afterKill(disk);
}

export async function closedStore(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const engine = await openTestEngine(testWorld(disk), evidenceOptions);
  await putMany(engine, 0, 40);
  await engine.close();
  return disk;
}

/** Range deletes in the manifest and in the log, some without an end. */
export async function rangeDeleteStore(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const engine = await openTestEngine(testWorld(disk), evidenceOptions);
  await putMany(engine, 0, 40);
  await engine.flush();
  await engine.deleteRange({ gte: 'key-0003', lt: 'key-0007' });
  await putMany(engine, 4, 6);
  await engine.flush();
  await engine.deleteRange({ gt: 'key-0030' });
  await putMany(engine, 35, 45);
  return afterKill(disk);
}

/** A store without a log of its own, killed with writes that are only in the other log; or closed. */
export async function externalStore(end: 'killed' | 'closed'): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const engine = await openTestEngine(testWorld(disk), { ...evidenceOptions, log: 'external' });
  for (let i = 0; i < 30; i++) {
    await engine.put(`key-${i}`, 'v'.repeat(60), { appliedIndex: i + 1 });
    if (i === 12) await engine.deleteRange({ lt: 'key-3' }, { appliedIndex: i + 1 });
    if (i % 10 === 9) await engine.flush();
  }
  await engine.put('key-late', 'v', { appliedIndex: 40 });
  if (end === 'killed') return afterKill(disk);
  await engine.close();
  return disk;
}

/** Killed while a frozen memtable was being flushed: two segments hold records that no table has. */
export async function twoSegmentStore(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const engine = await openTestEngine(testWorld(disk), evidenceOptions);
  await putMany(engine, 0, 5);
  const killed: MemoryFileSystem[] = [];
  let isFlushing = false;
  const stop = disk.afterEachMutation(({ operation, path }) => {
    if (operation === 'create' && path.endsWith('.sst')) isFlushing = true;
    if (isFlushing && operation === 'write' && path.endsWith('.wal')) killed.push(afterKill(disk));
  });
  for (let i = 5; killed.length === 0; i++) await putMany(engine, i, i + 1);
  stop();
  await engine.close();
  return killed[0]!;
}

export async function inspect(fs: FileSystem, options: { readonly showKeys?: boolean } = {}): Promise<RecoveryReport> {
  // A machine that has booted since, so that whoever held the lock is known to be dead.
  const { clock, nextProcess } = testWorld();
  return inspectStore(fs, DIRECTORY, { processes: nextProcess(), clock, ...options });
}

export function fileNamed(report: RecoveryReport, name: string): RecoveredFile {
  const file = report.files.find((each) => each.name === name);
  if (file === undefined) throw new Error(`the report does not mention ${name}`);
  return file;
}

export async function namesEnding(fs: FileSystem, suffix: string): Promise<readonly string[]> {
  return (await fs.readDirectory(DIRECTORY)).map(({ name }) => name).filter((name) => name.endsWith(suffix));
}

export async function manifestName(fs: FileSystem): Promise<string> {
  return (await fs.readDirectory(DIRECTORY)).map(({ name }) => name).find((name) => name.startsWith('MANIFEST-'))!;
}

export async function flip(fs: FileSystem, name: string, offset: number, mask = 0x10): Promise<void> {
  const handle = await fs.open(`${DIRECTORY}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ mask), offset);
  await handle.close();
}

export async function truncate(fs: FileSystem, name: string, bytes: number): Promise<void> {
  const handle = await fs.open(`${DIRECTORY}/${name}`, 'write');
  await handle.truncate(bytes);
  await handle.close();
}

export async function writeFile(fs: FileSystem, name: string, bytes: Uint8Array): Promise<void> {
  const handle = await fs.open(`${DIRECTORY}/${name}`, 'create');
  await handle.write(bytes, 0);
  await handle.close();
}

/** Offset behind the last record of a segment; zeros may follow. */
export async function endOfLog(fs: FileSystem, name: string): Promise<number> {
  const inspection = await inspectFile(fs, `${DIRECTORY}/${name}`, 'wal');
  const last = (inspection as WalInspection).records.at(-1)!;
  return last.offset + last.bytes;
}
