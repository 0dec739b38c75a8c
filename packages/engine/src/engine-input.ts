/** Arguments of the public calls, checked and made into what the inside works with. */

import { copyBytes } from '@kayadb/codec';

import { EngineError } from './errors.ts';
import { checkKey, checkValue, type WriteBatch } from './key/write-batch.ts';
import type { WriteLimits } from './limits.ts';
import { resolveKeySpan } from './range-delete/key-span.ts';
import type { BatchOperation, Condition, Encoding, ReadOptions, ScanOptions } from './types.ts';

/** What one key must be for a conditional write, as bytes. */
export interface ExpectedValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Adds one operation of a user's array to `batch`. @throws TypeError, RangeError with a sentence for the user. */
export function addOperation(name: string, batch: WriteBatch, operation: BatchOperation): void {
  switch (operation?.kind) {
    case 'put':
      batch.put(operation.key, operation.value);
      break;
    case 'delete':
      batch.delete(operation.key);
      break;
    case 'delete-range': {
      const span = resolveKeySpan(operation.range);
      if (span !== undefined) batch.deleteRange(span.start, span.end);
      break;
    }
    default: {
      const kind = String((operation as { kind?: unknown } | undefined)?.kind);
      throw new TypeError(`${name}: an operation's kind must be put, delete or delete-range, not ${kind}`);
    }
  }
}

/** Copies the conditions. @throws TypeError, RangeError with a sentence for the user. */
export function checkConditions(conditions: readonly Condition[], limits: WriteLimits): readonly ExpectedValue[] {
  if (!Array.isArray(conditions)) throw new TypeError('compareAndBatch: conditions must be an array');
  return (conditions as readonly (Condition | undefined)[]).map((condition) => {
    if (typeof condition !== 'object' || condition === null) {
      throw new TypeError('compareAndBatch: a condition must be an object with key and value');
    }
    const { key, value } = condition;
    const expected = value === undefined ? undefined : copyBytes(checkValue(value, limits));
    return { key: copyBytes(checkKey(key, limits)), value: expected };
  });
}

/** @throws TypeError, RangeError with a sentence for the user. */
export function checkScanOptions(name: string, options: ScanOptions<Encoding, Encoding>): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${name}: options must be an object, as in { prefix: 'user/' }`);
  }
  checkLimit(name, 'limit', options.limit, 0);
  checkLimit(name, 'limitBytes', options.limitBytes, 1);
  checkEncoding(name, 'keyEncoding', options.keyEncoding);
  checkEncoding(name, 'valueEncoding', options.valueEncoding);
}

/**
 * Options of a read that name no snapshot. A snapshot in their place would read the newest state and not say so.
 *
 * @throws TypeError
 */
export function checkReadOptions(options: ReadOptions): void {
  if (typeof options === 'object' && options !== null && !('sequence' in options)) return;
  throw new TypeError('the options of a read must be an object, as in { snapshot }');
}

/** For every call after `close()`. */
export function closedError(directory: string): EngineError {
  return new EngineError('KAYA_ENGINE_CLOSED', `the store in ${directory} is closed; open it again to use it`);
}

function checkLimit(name: string, option: string, limit: number | undefined, least: number): void {
  if (limit === undefined || limit === Number.POSITIVE_INFINITY) return;
  if (!Number.isInteger(limit) || limit < least) {
    throw new RangeError(`${name}: ${option} must be a whole number from ${least} on, not ${String(limit)}`);
  }
}

function checkEncoding(name: string, option: string, encoding: string | undefined): void {
  if (encoding === undefined || encoding === 'bytes' || encoding === 'utf8') return;
  throw new TypeError(`${name}: ${option} must be bytes or utf8, not ${encoding}`);
}
