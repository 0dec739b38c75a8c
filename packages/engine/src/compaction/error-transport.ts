/**
 * Errors across threads: as plain data and back, with everything that the Scheduler judges by (class, code, operation, errno, file and
 * offset), so that a failure means the same wherever the job ran.
 */

import { AssertionError, KayaError } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';

import { CorruptionError, EngineError, type EngineErrorCode } from '../errors.ts';

/** Can be posted. */
export interface EncodedError {
  readonly kind: 'file-system' | 'corruption' | 'engine' | 'kaya' | 'assertion' | 'other';
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: string;
  readonly errno?: string;
  readonly operation?: string;
  readonly path?: string;
  readonly file?: string;
  readonly offset?: number;
  readonly cause?: EncodedError;
}

/** What was thrown, as data. A cause comes along, and its cause, and so on. */
export function encodeError(thrown: unknown): EncodedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    ...encodeFields(error),
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && { cause: encodeError(error.cause) }),
  };
}

/** The error that `encoded` stands for: of the same class, with the same fields. */
export function decodeError(encoded: EncodedError): Error {
  const { message, stack } = encoded;
  const error = construct(encoded);
  error.message = message;
  if (stack !== undefined) error.stack = stack;
  return error;
}

function encodeFields(error: Error): Omit<EncodedError, 'message' | 'stack'> {
  if (error instanceof FileSystemError) {
    const { code, errno, operation, path } = error;
    return { kind: 'file-system', code, errno, operation, path };
  }
  if (error instanceof CorruptionError) return { kind: 'corruption', file: error.file, offset: error.offset };
  if (error instanceof EngineError) return { kind: 'engine', code: error.code };
  if (error instanceof KayaError) return { kind: 'kaya', code: (error as KayaError).code };
  return { kind: error instanceof AssertionError ? 'assertion' : 'other' };
}

function construct({ kind, message, code = '', cause: encodedCause, ...fields }: EncodedError): Error {
  const options = encodedCause === undefined ? {} : { cause: decodeError(encodedCause) };
  switch (kind) {
    case 'file-system':
      return new FileSystemError(fields.errno!, fields.operation!, fields.path!, options);
    case 'corruption':
      return new CorruptionError(fields.file!, fields.offset!, message, options);
    case 'engine':
      return new EngineError(code as EngineErrorCode, message, options);
    case 'kaya':
      return new KayaError(code, message, options);
    case 'assertion':
      return new AssertionError(message);
    case 'other':
      return new Error(message, options);
  }
}
