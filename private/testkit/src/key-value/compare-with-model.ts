/** Runs one operation list on a store and on the naive model, and compares every answer and the final content. */

import { createHash } from 'node:crypto';

import { printOp, textToBytes, toScanOptions, toWrite, type KeyValueOp } from './key-value-ops.ts';
import { collect, type KeyValueEntry, type KeyValueStore } from './key-value-store.ts';
import { SortedMapStore } from './sorted-map-store.ts';

/**
 * Requires: `store` is empty. Leaves it open.
 *
 * @throws Error naming the first operation whose answer differs, with both answers.
 */
export async function compareWithModel(
  store: KeyValueStore,
  ops: readonly KeyValueOp[],
  ranges: boolean,
): Promise<void> {
  const model = new SortedMapStore();
  const everything: KeyValueOp = { kind: 'scan', options: ranges ? {} : { prefix: '""' } };
  for (const [index, op] of [...ops, everything].entries()) {
    const actual = await apply(store, op);
    const expected = await apply(model, op);
    if (actual !== expected) {
      throw new Error(`operation ${index} (${printOp(op)}) answered ${actual}, expected ${expected}`);
    }
  }
}

async function apply(store: KeyValueStore, op: KeyValueOp): Promise<string> {
  switch (op.kind) {
    case 'get':
      return describeBytes(await store.get(textToBytes(op.key)));
    case 'scan':
      return describeEntries(await collect(store.scan(toScanOptions(op.options))));
    case 'put':
      await store.put(textToBytes(op.key), textToBytes(op.value));
      break;
    case 'delete':
      await store.delete(textToBytes(op.key));
      break;
    case 'batch':
      await store.batch(op.writes.map(toWrite));
      break;
    case 'delete-range':
      await store.deleteRange?.(textToBytes(op.from), textToBytes(op.to));
      break;
    case 'flush':
      await store.flush?.();
      break;
    case 'reopen':
      await store.reopen?.();
      break;
  }
  return 'done';
}

/** Bytes as a person reads them: ASCII as it is, the rest as `\xNN`; long ones cut, and told apart by a digest. */
export function describeBytes(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return 'nothing';
  const text = Array.from(bytes.subarray(0, 40), (byte) =>
    byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
  if (bytes.length <= 40) return `"${text}"`;
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  return `"${text}..." (${bytes.length} bytes, ${digest})`;
}

export function describeEntries(entries: readonly KeyValueEntry[]): string {
  return `[${entries.map(({ key, value }) => `${describeBytes(key)}: ${describeBytes(value)}`).join(', ')}]`;
}
