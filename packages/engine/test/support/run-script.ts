/** Runs a script on an engine and on a sorted map side by side, and compares every answer. */

import { expect } from 'vitest';

import type { Engine, KeyRange, Scan, Snapshot } from '../../src/index.ts';
import type { ScriptOp, ScriptRange, ScriptWrite } from './engine-script.ts';

/** Keys as latin1 of their bytes, so that JavaScript's order of strings is the order of bytes. */
type Model = ReadonlyMap<string, string>;

interface World {
  engine: Engine;
  model: Model;
  snapshots: { readonly snapshot: Snapshot; readonly model: Model }[];
}

type ScanOp = Extract<ScriptOp, { kind: 'scan' }>;

/** @param reopen - Closes nothing: opens the same data again. */
export async function runScript(ops: readonly ScriptOp[], reopen: () => Promise<Engine>): Promise<void> {
  const world: World = { engine: await reopen(), model: new Map(), snapshots: [] };
  try {
    for (const op of ops) await runOp(world, op, reopen);
    await checkScan(world, { ...EVERYTHING, snapshot: 99 });
    for (const index of world.snapshots.keys()) await checkScan(world, { ...EVERYTHING, snapshot: index });
    expect((await world.engine.verify()).damage).toEqual([]);
  } finally {
    await world.engine.close();
  }
}

const EVERYTHING: ScanOp = {
  kind: 'scan',
  want: 'rows',
  range: {},
  reverse: false,
  limit: Infinity,
  limitBytes: Infinity,
  batch: 100,
  seek: undefined,
  snapshot: 99,
};

async function runOp(world: World, op: ScriptOp, reopen: () => Promise<Engine>): Promise<void> {
  switch (op.kind) {
    case 'put':
      await world.engine.put(op.key, op.value);
      world.model = applyWrites(world.model, [op]);
      break;
    case 'delete':
      await world.engine.delete(op.key);
      world.model = applyWrites(world.model, [op]);
      break;
    case 'delete-range':
      await world.engine.deleteRange(op.range);
      world.model = applyWrites(world.model, [op]);
      break;
    case 'batch':
      await world.engine.batch(op.writes);
      world.model = applyWrites(world.model, op.writes);
      break;
    case 'compare':
      await runCompare(world, op);
      break;
    case 'get':
      await checkGets(world, op);
      break;
    case 'scan':
      await checkScan(world, op);
      break;
    case 'snapshot':
      world.snapshots.push({ snapshot: world.engine.snapshot(), model: world.model });
      break;
    case 'release':
      world.snapshots.shift()?.snapshot.close();
      break;
    case 'flush':
      await world.engine.flush();
      break;
    case 'compact':
      await world.engine.compact(op.range);
      break;
    case 'verify':
      expect((await world.engine.verify()).damage).toEqual([]);
      break;
    case 'reopen':
      await world.engine.close();
      world.snapshots = [];
      world.engine = await reopen();
      break;
    default:
      throw new Error(`no such operation: ${JSON.stringify(op)}`);
  }
}

async function runCompare(world: World, op: Extract<ScriptOp, { kind: 'compare' }>): Promise<void> {
  const actual = world.model.get(latin1(op.key));
  const value = op.isMet ? actual : `${actual ?? ''}?`;
  const bytes = value === undefined ? undefined : Buffer.from(value, 'latin1');

  const result = await world.engine.compareAndBatch([{ key: op.key, value: bytes }], op.writes);

  expect(result.applied).toBe(op.isMet);
  if (op.isMet) world.model = applyWrites(world.model, op.writes);
}

async function checkGets(world: World, { keys, snapshot: index }: Extract<ScriptOp, { kind: 'get' }>): Promise<void> {
  const { model, options } = viewOf(world, index);
  const wanted = keys.map((key) => model.get(latin1(key)));
  expect((await world.engine.getMany(keys, options)).map(text)).toEqual(wanted);
  for (const [i, key] of keys.slice(0, 3).entries()) {
    expect(text(world.engine.getSync(key, options))).toBe(wanted[i]);
    expect(text(await world.engine.get(key, options))).toBe(wanted[i]);
    expect(await world.engine.has(key, options)).toBe(wanted[i] !== undefined);
  }
}

async function checkScan(world: World, op: ScanOp): Promise<void> {
  const { model, options } = viewOf(world, op.snapshot);
  const { range, reverse, limit, limitBytes } = op;
  const scanOptions = { ...range, ...options, reverse, limit, limitBytes };

  const actual = await pull(openScan(world.engine, op, scanOptions), op);

  expect(actual).toEqual(modelScan(model, op));
}

function openScan(engine: Engine, { want }: ScanOp, options: KeyRange & object): Scan<unknown> {
  if (want === 'rows') return engine.scan(options);
  return want === 'keys' ? engine.keys(options) : engine.values({ ...options, valueEncoding: 'utf8' });
}

async function pull(scan: Scan<unknown>, { batch, seek }: ScanOp): Promise<string[]> {
  const items: unknown[] = [];
  if (seek !== undefined) scan.seek(seek);
  if (batch === 0) {
    for await (const item of scan) items.push(item);
  } else {
    for (let rows = await scan.nextBatch(batch); rows.length > 0; rows = await scan.nextBatch(batch))
      items.push(...rows);
  }
  await scan.return();
  return items.map(describeItem);
}

function describeItem(item: unknown): string {
  if (typeof item === 'string') return item;
  if (item instanceof Uint8Array) return text(item)!;
  const { key, value } = item as { readonly key: Uint8Array; readonly value: Uint8Array };
  return `${text(key)}=${text(value)}`;
}

function modelScan(model: Model, op: ScanOp): string[] {
  const rows = [...model].filter(([key]) => isInside(op.range, key)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (op.reverse) rows.reverse();
  const seek = op.seek === undefined ? undefined : latin1(op.seek);
  const found: string[] = [];
  let bytes = 0;
  for (const [key, value] of rows) {
    if (seek !== undefined && (op.reverse ? key > seek : key < seek)) continue;
    if (found.length >= op.limit || bytes >= op.limitBytes) break;
    bytes += (op.want === 'values' ? 0 : key.length) + (op.want === 'keys' ? 0 : value.length);
    if (op.want === 'rows') found.push(`${key}=${value}`);
    else found.push(op.want === 'keys' ? key : Buffer.from(value, 'latin1').toString());
  }
  return found;
}

function applyWrites(model: Model, writes: readonly ScriptWrite[]): Model {
  const next = new Map(model);
  for (const write of writes) {
    if (write.kind === 'put') next.set(latin1(write.key), latin1(write.value));
    else if (write.kind === 'delete') next.delete(latin1(write.key));
    else for (const key of next.keys()) if (isInside(write.range, key)) next.delete(key);
  }
  return next;
}

function isInside({ gt, gte, lt, lte, prefix }: ScriptRange, key: string): boolean {
  return (
    (gt === undefined || key > latin1(gt)) &&
    (gte === undefined || key >= latin1(gte)) &&
    (lt === undefined || key < latin1(lt)) &&
    (lte === undefined || key <= latin1(lte)) &&
    (prefix === undefined || key.startsWith(latin1(prefix)))
  );
}

/** One of the open snapshots, or the present state. */
function viewOf(world: World, index: number): { readonly model: Model; readonly options: { snapshot?: Snapshot } } {
  const taken = world.snapshots[index];
  return taken === undefined
    ? { model: world.model, options: {} }
    : { model: taken.model, options: { snapshot: taken.snapshot } };
}

function latin1(value: string): string {
  return Buffer.from(value).toString('latin1');
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
}
