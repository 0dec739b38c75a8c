/**
 * A process that writes to a store until it is killed. It keeps no record of what it did: whoever started it does. Runs from the build, since
 * it is started thousands of times. Protocol: writer-protocol.ts.
 */

import { writeSync } from 'node:fs';
import { text as readToEnd } from 'node:stream/consumers';

import { decodeUtf8, KayaError } from '@kayadb/codec';
import { type Engine, type EngineEvent, type EngineOptions, openEngine } from '@kayadb/engine';
import { nodeFileSystem } from '@kayadb/vfs';
import { InterceptedFileSystem } from '@kayadb/vfs/testing';

import { toOperations, type WorkloadOp } from '../workload/workload.ts';
import { PAIR_KEYS, pairValue, type WriterError, type WriterLine, type WriterOrders } from './writer-protocol.ts';

const STANDARD_OUTPUT = 1;

/** Small enough that some hundred writes flush and merge several times, large enough that these are work for the worker threads. */
const SIZES: EngineOptions = {
  memtableBytes: 8192,
  blockBytes: 1024,
  tableBytes: 8192,
  level0Tables: 2,
  level1Bytes: 16_384,
  blockCacheBytes: 65_536,
};

/** Resolves when everything is done, or fails with what cannot be said in a line. */
async function runWriter(orders: WriterOrders): Promise<void> {
  say({ kind: 'opening' });
  const engine = await attempt('opening', () => openEngine(orders.directory, toOptions(orders)));
  if (engine === undefined) return;
  const { recoveredRecords, truncatedBytes } = engine.stats();
  const rows = await attempt('reading', () => rowsOf(engine));
  if (rows !== undefined) say({ kind: 'opened', recoveredRecords, truncatedBytes, rows });
  await Promise.all(orders.lanes.map((_, lane) => runLane(engine, orders, lane)));
  const seen = await attempt('reading', () => rowsOf(engine));
  if (seen !== undefined) say({ kind: 'seen', rows: seen });
  say({ kind: 'closing' });
  const isClosed = await attempt('closing', async () => {
    await engine.close();
    return true;
  });
  if (isClosed === true) say({ kind: 'closed' });
}

async function runLane(engine: Engine, orders: WriterOrders, lane: number): Promise<void> {
  for (const [step, op] of (orders.lanes[lane] ?? []).entries()) {
    say({ kind: 'begin', lane, step });
    try {
      const sequence = await runStep(engine, op, orders, lane, step);
      say({ kind: 'done', lane, step, sequence });
    } catch (error) {
      say({ kind: 'refused', lane, step, error: describeError(error) });
    }
  }
}

/** @returns The sequence number of a write, otherwise 0. */
async function runStep(
  engine: Engine,
  op: WorkloadOp,
  { checkpoints, life }: WriterOrders,
  lane: number,
  step: number,
): Promise<number> {
  switch (op.kind) {
    case 'put':
      return (await engine.put(op.key, op.value)).sequence;
    case 'delete':
      return (await engine.delete(op.key)).sequence;
    case 'delete-range':
      return (await engine.deleteRange({ prefix: op.prefix })).sequence;
    case 'batch': {
      const value = pairValue(life, lane, step);
      const pair = PAIR_KEYS.map((key) => ({ kind: 'put', key, value }) as const);
      const [a, b] = pair;
      // Apart from each other in the record, so that what would cut it in two would tear them.
      return (await engine.batch([a!, ...toOperations(op), b!])).sequence;
    }
    case 'flush':
      await engine.flush();
      return 0;
    case 'compact':
      await engine.compact();
      return 0;
    case 'checkpoint':
      await engine.checkpoint(`${checkpoints}/${op.name}`);
      return 0;
    case 'reopen':
      throw new RangeError('a store that others write to cannot be reopened');
  }
}

function toOptions({ durability, announces, watch }: WriterOrders): EngineOptions {
  const options: EngineOptions = { ...SIZES, ...watch, durability, onEvent: sayEvent };
  if (!announces) return options;
  const fileSystem = new InterceptedFileSystem(nodeFileSystem(), {
    call: (operation, run) => {
      say({ kind: 'call', name: operation.kind });
      return run();
    },
    callSync: (operation, run) => {
      say({ kind: 'call', name: operation.kind });
      return run();
    },
  });
  return { ...options, fileSystem };
}

function sayEvent(event: EngineEvent): void {
  const { kind } = event;
  if (kind === 'damage-found') say({ kind, message: event.message });
  else if (kind === 'stale-lock-taken' || kind === 'flushed' || kind === 'compacted' || kind === 'scrubbed')
    say({ kind });
}

async function rowsOf(engine: Engine): Promise<[string, string][]> {
  const rows: [string, string][] = [];
  for await (const { key, value } of engine.scan()) rows.push([decodeUtf8(key), decodeUtf8(value)]);
  return rows;
}

async function attempt<Result>(
  where: 'opening' | 'reading' | 'closing',
  run: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    say({ kind: 'failed', where, error: describeError(error) });
    return undefined;
  }
}

/** Several errors of one close count as the first, if all of them have codes. */
function describeError(error: unknown): WriterError {
  const all: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  const codes = all.map((each) => (each instanceof KayaError ? each.code : undefined));
  return { code: codes.includes(undefined) ? undefined : codes[0], message: [error, ...all].map(String).join('; ') };
}

/** Returns when the line is in the pipe. */
function say(line: WriterLine): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let sent = 0; sent < bytes.length;) sent += sendSome(bytes, sent);
}

/** @returns How many bytes went; none while the pipe is full, after a moment for whoever reads it. */
function sendSome(bytes: Uint8Array, from: number): number {
  try {
    return writeSync(STANDARD_OUTPUT, bytes, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}

const orders = await readToEnd(process.stdin);
// Without orders, whoever started it has no use for it any more.
if (orders !== '') await runWriter(JSON.parse(orders) as WriterOrders);
