/** A background worker's side of the conversation: runs one task at a time and says how it ended. */

import type { FileNumber } from '../key/internal-key.ts';
import type { Resources } from '../resources.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { encodeError } from './error-transport.ts';
import { MemtableRun } from './memtable-run.ts';
import { flushEntries, mergeTables, type TableWorld } from './table-work.ts';
import type { WorkerReply, WorkerRequest, WorkerTask } from './worker-messages.ts';

type WorkerResources = Pick<Resources, 'fileSystem' | 'clock' | 'yieldTurn'>;

export class WorkerSession {
  readonly #reply: (reply: WorkerReply) => void;
  readonly #resources: WorkerResources;
  /** Who waits for a file number. */
  #needing: ((fileNumber: FileNumber) => void) | undefined;

  constructor(reply: (reply: WorkerReply) => void, resources: WorkerResources) {
    this.#reply = reply;
    this.#resources = resources;
  }

  /** Never throws: a task's failure is a reply. */
  handle(request: WorkerRequest): void {
    if (request.kind === 'run') void this.#run(request);
    else this.#needing?.(request.fileNumber);
  }

  async #run({ task, fileNumbers, abort }: Extract<WorkerRequest, { kind: 'run' }>): Promise<void> {
    const unused = [...fileNumbers];
    const world: TableWorld = {
      ...this.#resources,
      signal: {
        get aborted() {
          return Atomics.load(abort, 0) !== 0;
        },
      },
      reserveTable: () => unused.shift() ?? this.#needFileNumber(),
      // Whoever reserved the numbers gives them up when the task has failed.
      releaseTable: () => undefined,
      isOwnThread: true,
    };
    try {
      this.#reply({ kind: 'done', tables: await runTask(task, world) });
    } catch (error) {
      this.#reply({ kind: 'failed', error: encodeError(error) });
    }
  }

  #needFileNumber(): Promise<FileNumber> {
    return new Promise((resolve) => {
      this.#needing = resolve;
      this.#reply({ kind: 'need-file-number' });
    });
  }
}

function runTask(task: WorkerTask, world: TableWorld): Promise<readonly TableMeta[]> {
  if (task.kind === 'merge') return mergeTables(task.job, world);
  return flushEntries(task.job, world, new MemtableRun(task.memtable));
}
