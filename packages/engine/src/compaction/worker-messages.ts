/** What the main thread and a background worker say to each other. All of it is plain data or shared memory. */

import type { FileNumber } from '../key/internal-key.ts';
import type { SharedMemtable } from '../memtable/shared-memtable.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { EncodedError } from './error-transport.ts';
import type { MergeTablesJob, TableJob } from './table-work.ts';

export type WorkerTask =
  | { readonly kind: 'flush'; readonly job: TableJob; readonly memtable: SharedMemtable }
  | { readonly kind: 'merge'; readonly job: MergeTablesJob };

/** To the worker, one task at a time. */
export type WorkerRequest =
  | {
      readonly kind: 'run';
      readonly task: WorkerTask;
      /** Reserved for the new tables, in this order. */
      readonly fileNumbers: readonly FileNumber[];
      /** One shared word: not 0 when the task is to end. */
      readonly abort: Int32Array;
    }
  /** The answer to `need-file-number`. */
  | { readonly kind: 'file-number'; readonly fileNumber: FileNumber };

/** From the worker. */
export type WorkerReply =
  | { readonly kind: 'need-file-number' }
  | { readonly kind: 'done'; readonly tables: readonly TableMeta[] }
  | { readonly kind: 'failed'; readonly error: EncodedError };
