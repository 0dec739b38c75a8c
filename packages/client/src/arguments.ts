/** Arguments of calls to what the protocol carries. Bytes are copied here, so that nothing behind it depends on the caller's arrays. */

import {
  assertNever,
  copyBytes,
  EMPTY_BYTES,
  type Freshness,
  MAX_COMMAND_OPERATIONS,
  MAX_WRITE_BYTES,
  measureConditions,
  measureOperations,
  prefixEnd,
  type RowRange,
  toBytes,
  type Write,
  type WriteCondition,
  type WriteOperation,
} from '@kayadb/codec';

import { ClientError } from './client-error.ts';
import type { BatchOperation, Comparison, Condition, DeletedRange, ReadOptions } from './client.ts';

/** A key, value or prefix: strings are encoded as UTF-8. Byte arrays are copied before a method returns. */
export type BytesInput = Uint8Array | string;

/** Which keys: those that begin with `prefix`, or those within the bounds. */
export interface ScanRange {
  readonly prefix?: BytesInput | undefined;
  readonly gt?: BytesInput | undefined;
  readonly gte?: BytesInput | undefined;
  readonly lt?: BytesInput | undefined;
  readonly lte?: BytesInput | undefined;
}

/** Room for the counts of the three lists in `MAX_WRITE_BYTES`. */
const COUNT_BYTES = 16;

export function ownBytes(input: BytesInput): Uint8Array {
  return typeof input === 'string' ? toBytes(input) : copyBytes(input);
}

export function ownRange({ prefix, gt, gte, lt, lte }: ScanRange): ScanRange {
  return { prefix: own(prefix), gt: own(gt), gte: own(gte), lt: own(lt), lte: own(lte) };
}

export function ownOperation<Operation extends BatchOperation>(operation: Operation): Operation {
  switch (operation.kind) {
    case 'put':
      return { ...operation, key: ownBytes(operation.key), value: ownBytes(operation.value) };
    case 'delete':
      return { ...operation, key: ownBytes(operation.key) };
    case 'delete-range':
      return { ...operation, ...ownRange(operation) };
    default:
      return assertNever(operation, 'operation');
  }
}

export function ownCondition(condition: Condition): Condition {
  const key = ownBytes(condition.key);
  return condition.kind === 'value' ? { ...condition, key, value: ownBytes(condition.value) } : { ...condition, key };
}

/** @throws TypeError for bounds that contradict each other. */
export function toRowRange(range: BytesInput | ScanRange): RowRange {
  if (typeof range === 'string' || range instanceof Uint8Array) return toRowRange({ prefix: range });
  const { prefix, gt, gte, lt, lte } = range;
  const hasBounds = gt !== undefined || gte !== undefined || lt !== undefined || lte !== undefined;
  if (prefix !== undefined) {
    if (hasBounds) throw new TypeError('a range has a prefix or bounds, not both');
    const from = ownBytes(prefix);
    return { from, isFromExclusive: false, to: prefixEnd(from) ?? EMPTY_BYTES, isToInclusive: false };
  }
  if (gt !== undefined && gte !== undefined) throw new TypeError('a range has gt or gte, not both');
  if (lt !== undefined && lte !== undefined) throw new TypeError('a range has lt or lte, not both');
  return {
    from: ownBytes(gt ?? gte ?? EMPTY_BYTES),
    isFromExclusive: gt !== undefined,
    to: ownBytes(lt ?? lte ?? EMPTY_BYTES),
    isToInclusive: lte !== undefined,
  };
}

/** Whether the range was given an end that no key is below: an empty `to` on the wire means that there is no end. */
export function endsAtEmptyKey({ lt, lte }: ScanRange): boolean {
  const end = lt ?? lte;
  return end !== undefined && end.length === 0;
}

/** @throws TypeError for a level beside a bound, RangeError for a bound that is none. */
export function toFreshness({ level, maxStalenessMs }: ReadOptions): Freshness {
  if (maxStalenessMs === undefined) return { kind: level ?? 'linearizable' };
  if (level !== undefined) throw new TypeError('a read has a level or maxStalenessMs, not both');
  if (!Number.isSafeInteger(maxStalenessMs) || maxStalenessMs < 0) {
    throw new RangeError(`maxStalenessMs must be a whole number from 0, got ${maxStalenessMs}`);
  }
  return { kind: 'bounded', maxStalenessMs };
}

/** @throws ClientError KAYA_INVALID_ARGUMENT for a write that no node would take. */
export function toWrite({ conditions, operations, otherwise = [] }: Comparison): Write {
  const write: Write = {
    conditions: conditions.map(toCondition),
    operations: operations.map(toOperation),
    otherwise: otherwise.map(toOperation),
  };
  return refusingRanges(() => {
    const count = conditions.length + operations.length + otherwise.length;
    if (count > MAX_COMMAND_OPERATIONS) {
      throw new RangeError(
        `a write has at most ${MAX_COMMAND_OPERATIONS} operations and conditions, this one ${count}`,
      );
    }
    const lists = measureOperations(write.operations) + measureOperations(write.otherwise);
    const bytes = COUNT_BYTES + measureConditions(write.conditions) + lists;
    if (bytes > MAX_WRITE_BYTES) {
      throw new RangeError(`a write has at most ${MAX_WRITE_BYTES} bytes, this one ${bytes}; use several, or pipeline`);
    }
    return write;
  });
}

/** What the codec finds out of bounds is the caller's mistake. */
export function refusingRanges<Result>(encode: () => Result): Result {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ClientError('KAYA_INVALID_ARGUMENT', error.message, { cause: error });
  }
}

function toOperation(operation: BatchOperation): WriteOperation {
  switch (operation.kind) {
    case 'put':
      return { kind: 'put', key: ownBytes(operation.key), value: ownBytes(operation.value) };
    case 'delete':
      return { kind: 'delete', key: ownBytes(operation.key) };
    case 'delete-range':
      return toDeletedRange(operation);
    default:
      return assertNever(operation, 'operation');
  }
}

function toDeletedRange({ prefix, gte, lt }: DeletedRange): WriteOperation {
  if (prefix === undefined && gte === undefined && lt === undefined) {
    throw new TypeError('deleting a range needs a prefix, gte or lt; an empty prefix deletes everything');
  }
  const { from, to } = toRowRange({ prefix, gte, lt });
  // No key is below the empty one, which on the wire would be no end at all.
  if (endsAtEmptyKey({ lt })) return { kind: 'delete-range', from: LEAST_KEY, to: LEAST_KEY };
  return { kind: 'delete-range', from, to };
}

const LEAST_KEY = Uint8Array.of(0);

function toCondition(condition: Condition): WriteCondition {
  switch (condition.kind) {
    case 'exists':
      return { kind: 'exists', key: ownBytes(condition.key), exists: condition.exists };
    case 'value':
      return { kind: 'value', key: ownBytes(condition.key), value: ownBytes(condition.value) };
    case 'revision':
      return { kind: 'revision', key: ownBytes(condition.key), revision: condition.revision };
    default:
      return assertNever(condition, 'condition');
  }
}

function own(bytes: BytesInput | undefined): BytesInput | undefined {
  return bytes === undefined ? undefined : ownBytes(bytes);
}
