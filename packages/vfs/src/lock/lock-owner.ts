/** What a lock file says: JSON in one line, so that a person can read it with `cat`. */

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';

import type { ProcessIdentity } from './process-table.ts';

/** Who took a lock. */
export interface LockOwner extends ProcessIdentity {
  /** Unlike every other token there ever was: two locks of one process differ. */
  readonly token: string;
  /** When it was taken by the clock of the file system, ISO 8601. For display only. */
  readonly takenAt: string;
}

const FORMAT = 1;

/** Bound: a longer file is no lock. */
const MAX_LOCK_BYTES = 4096;

export function encodeLockOwner(owner: LockOwner): Uint8Array {
  const { token, pid, host, bootId, pidNamespace, startTicks, takenAt } = owner;
  const record = { format: FORMAT, token, pid, host, bootId, pidNamespace, startTicks, takenAt };
  return encodeUtf8(`${JSON.stringify(record)}\n`);
}

/** @returns `undefined` for anything that `encodeLockOwner` does not write. */
export function decodeLockOwner(bytes: Uint8Array): LockOwner | undefined {
  if (bytes.length > MAX_LOCK_BYTES) return undefined;
  let record: unknown;
  try {
    record = JSON.parse(decodeUtf8(bytes));
  } catch {
    return undefined;
  }
  if (typeof record !== 'object' || record === null) return undefined;
  const { format, token, pid, host, bootId, pidNamespace, startTicks, takenAt } = record as Record<string, unknown>;
  if (format !== FORMAT || !isToken(token) || !isCount(pid) || pid === 0 || !isCount(startTicks)) return undefined;
  if (typeof host !== 'string' || typeof bootId !== 'string') return undefined;
  if (typeof pidNamespace !== 'string' || typeof takenAt !== 'string') return undefined;
  return { token, pid, host, bootId, pidNamespace, startTicks, takenAt };
}

/** Tokens become parts of file names, so nothing else may be in them. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
