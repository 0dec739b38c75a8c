/** Tests of a record whose CRC is right: a record that fails them was not written here, and no torn write explains it. */

import { CorruptionError, EngineError } from '../errors.ts';
import type { LogRecord } from './log-reader.ts';

export interface RecordExpectation {
  readonly recordKind: number;
  /** The ordinal that comes next; `undefined` before the first record. */
  readonly nextOrdinal: number | undefined;
  /** Bound for the first ordinal of the first record. */
  readonly maxFirstOrdinal: number;
}

/** @returns Why `record`, which stands in `file`, cannot be part of the log, or `undefined` when it can. */
export function refuseRecord(
  record: LogRecord,
  file: string,
  expected: RecordExpectation,
): CorruptionError | EngineError | undefined {
  const { kind, offset } = record;
  if (kind !== expected.recordKind) {
    return new EngineError(
      'KAYA_UNSUPPORTED',
      `${file} has a record of kind ${kind} at offset ${offset}, which this version does not know; open the store with the version that wrote it`,
    );
  }
  const damage = describeDamage(record, expected);
  return damage === undefined ? undefined : new CorruptionError(file, offset, damage);
}

function describeDamage(record: LogRecord, { nextOrdinal, maxFirstOrdinal }: RecordExpectation): string | undefined {
  const { count, firstOrdinal, durableLsn, lsn } = record;
  if (count < 1 || firstOrdinal < 1 || !Number.isSafeInteger(firstOrdinal + count)) {
    return `a record claims ${count} numbers from ${firstOrdinal}`;
  }
  if (durableLsn > lsn) return 'a record claims that what comes after it had been durable';
  if (nextOrdinal === undefined && firstOrdinal > maxFirstOrdinal) {
    return `the log begins at number ${firstOrdinal}, and ${maxFirstOrdinal} is missing`;
  }
  if (nextOrdinal !== undefined && firstOrdinal !== nextOrdinal) {
    return `a record begins at number ${firstOrdinal}, and ${nextOrdinal} should come next`;
  }
  return undefined;
}
