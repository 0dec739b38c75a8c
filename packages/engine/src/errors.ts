/** Typed errors of the engine. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

export type EngineErrorCode =
  | 'KAYA_DISK_FULL'
  | 'KAYA_ENGINE_CLOSED'
  | 'KAYA_ENGINE_POISONED'
  | 'KAYA_SNAPSHOT_CLOSED'
  | 'KAYA_ABORTED'
  | 'KAYA_STORE_MISSING'
  | 'KAYA_INDEX_MISSING'
  | 'KAYA_STORE_LOG'
  | 'KAYA_NOTHING_TO_SALVAGE'
  | 'KAYA_STORE_IS_BACKUP'
  | 'KAYA_NO_HARD_LINKS'
  | 'KAYA_UNSUPPORTED'
  | 'KAYA_WORKER_LOST';

export class EngineError extends KayaError<EngineErrorCode> {}

export type CorruptionErrorCode = 'KAYA_CORRUPTION';

/** Bytes on disk that are not what was written. Nothing is deleted or repaired because of it. */
export class CorruptionError extends KayaError<CorruptionErrorCode> {
  /** Name of the file inside the data directory. */
  readonly file: string;
  /** Byte position of the damaged structure's start, from the start of the file. */
  readonly offset: number;

  constructor(file: string, offset: number, message: string, options?: { readonly cause?: unknown }) {
    super('KAYA_CORRUPTION', `${file} is damaged at offset ${offset}: ${message}`, options);
    this.file = file;
    this.offset = offset;
  }
}
