/** The engine's failures under the codes that programs of the Level ecosystem look for. The engine's error is the `cause`. */

export type LevelErrorCode =
  | 'LEVEL_ABORTED'
  | 'LEVEL_CORRUPTION'
  | 'LEVEL_DATABASE_NOT_OPEN'
  | 'LEVEL_IO_ERROR'
  | 'LEVEL_LOCKED'
  | 'LEVEL_SNAPSHOT_NOT_OPEN';

/** As the errors of abstract-level: a stable `code`, a sentence, and what caused it. */
export class LevelError extends Error {
  readonly code: LevelErrorCode;

  constructor(code: LevelErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    // Like the errors of the web's own aborts.
    this.name = code === 'LEVEL_ABORTED' ? 'AbortError' : 'LevelError';
  }
}

const codes: Readonly<Record<string, LevelErrorCode>> = {
  KAYA_ABORTED: 'LEVEL_ABORTED',
  KAYA_CORRUPTION: 'LEVEL_CORRUPTION',
  KAYA_ENGINE_CLOSED: 'LEVEL_DATABASE_NOT_OPEN',
  KAYA_STORE_MISSING: 'LEVEL_DATABASE_NOT_OPEN',
  KAYA_ENGINE_POISONED: 'LEVEL_IO_ERROR',
  KAYA_DISK_FULL: 'LEVEL_IO_ERROR',
  KAYA_IO: 'LEVEL_IO_ERROR',
  KAYA_LOCKED: 'LEVEL_LOCKED',
  KAYA_SNAPSHOT_CLOSED: 'LEVEL_SNAPSHOT_NOT_OPEN',
};

/** Wrong arguments (TypeError, RangeError) and what Level has no code for are returned as they are. */
export function toLevelError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const code = codes[error.code] ?? (error.code.startsWith('KAYA_FS_') ? 'LEVEL_IO_ERROR' : undefined);
  return code === undefined ? error : new LevelError(code, error.message, { cause: error });
}
