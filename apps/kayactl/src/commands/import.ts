/** `kayactl import FILE` */

import { resolve } from 'node:path';

import type { Command } from 'commander';

import { AppendFile } from '../append-file.ts';
import { usageError } from '../cli-error.ts';
import { examples } from '../examples.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseCount } from '../global-options.ts';
import { NO_LINES } from '../import/acknowledged-prefix.ts';
import { BadLines } from '../import/bad-lines.ts';
import { CheckpointWriter } from '../import/checkpoint-writer.ts';
import { ImportJob } from '../import/import-job.ts';
import { reportImport } from '../import/import-report.ts';
import { identifyInput, ImportStateFile } from '../import/import-state.ts';
import { type ImportInput, openInput } from '../import/input.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { openProgress } from '../progress.ts';
import type { Store } from '../store/store.ts';
import { withStore } from '../store/with-store.ts';

interface ImportFlags {
  readonly state?: string;
  readonly restart?: boolean;
  readonly errors?: string;
  readonly maxErrors?: number;
  readonly ackLog?: string;
}

export function addImportCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('import')
    .summary('store the records of a JSON Lines file')
    .description(
      'Stores every line {"key":"...","value":"..."} of FILE, plain or gzip, or of standard input for "-". Bytes that ' +
        'are no text are written as "key_hex" and "value_hex". Lines that cannot be imported are reported with their ' +
        'number and counted, and the command then ends with status 4.\n\n' +
        'Run the same command again after Ctrl-C, a crash or the loss of the server: it goes on where it was.',
    )
    .argument('<file>', 'the file, or - for standard input, which cannot be resumed')
    .option('--state <file>', 'where progress is kept (default: FILE.kayactl-import.json)')
    .option('--restart', 'forget the progress of an earlier run and begin with the first line')
    .option('--errors <file>', 'list every bad line here, as JSON Lines {"line":N,"reason":"..."}')
    .option('--max-errors <n>', 'stop at the n-th bad line of this run', (text) => parseCount(text, 1))
    .option('--ack-log <file>', 'append {"line":N,"key":"..."} for each record as soon as it is acknowledged');
  examples(command, [
    'kayactl --server 127.0.0.1:7379 import packages.jsonl.gz',
    'kayactl --data ./data import packages.jsonl --errors bad-lines.jsonl',
    'zcat packages.jsonl.gz | kayactl import - --json',
  ]);
  invocation.handle<ImportFlags>(command, async (context, [file = ''], flags) => {
    const { fileSystem, stdin, signal } = context.io;
    refuseSharedFiles(file, flags);
    // Before the store: a mistyped name must not leave a new store behind.
    const input = await openInput(file, fileSystem, stdin, signal);
    try {
      return await withStore(context, { create: true }, (store) => importFile(context, store, input, file, flags));
    } finally {
      await input.close();
    }
  });
}

async function importFile(
  context: CommandContext,
  store: Store,
  input: ImportInput,
  file: string,
  flags: ImportFlags,
): Promise<ExitCode> {
  const { io, globals, output } = context;
  const startedMs = io.clock.now();
  const stateFile = await openState(context, store, file, flags);
  const resumed = flags.restart === true ? undefined : await stateFile?.read();
  const start = resumed ?? NO_LINES;
  if (start.lines > 0 && !globals.json) await output.note(`resuming after line ${start.lines} of ${file}`);

  const closers: (() => Promise<void>)[] = [];
  try {
    const openList = async (path: string | undefined, keep: boolean): Promise<AppendFile | undefined> => {
      if (path === undefined) return undefined;
      const list = await AppendFile.open(io.fileSystem, path, keep);
      closers.push(() => list.close());
      return list;
    };
    const errorList = await openList(flags.errors, start.lines > 0);
    const ackLog = await openList(flags.ackLog, true);
    const progress = await openProgress({ stream: output.stderr, json: globals.json, totalBytes: input.totalBytes });
    closers.push(async () => progress.stop());
    const job = new ImportJob({
      input,
      store,
      start,
      checkpoints: new CheckpointWriter(stateFile, io.clock, progress),
      badLines: new BadLines({ progress, json: globals.json, file: errorList }),
      ackLog,
      progress,
      signal: io.signal,
      maxErrors: flags.maxErrors ?? Number.POSITIVE_INFINITY,
    });
    return await reportImport(context, job, start, startedMs);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** The other files are written over: one of them in the place of the input would destroy it. */
function refuseSharedFiles(file: string, { state, errors, ackLog }: ImportFlags): void {
  const paths = { FILE: file === '-' ? undefined : file, '--state': state, '--errors': errors, '--ack-log': ackLog };
  const nameByPath = new Map<string, string>();
  for (const [name, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    const other = nameByPath.get(resolve(path));
    if (other !== undefined)
      throw usageError(`${other} and ${name} are the same file ${path}`, 'Name a file for each.');
    nameByPath.set(resolve(path), name);
  }
}

/** Standard input cannot be read twice, so nothing is kept of it. */
async function openState(
  { io }: CommandContext,
  store: Store,
  file: string,
  flags: ImportFlags,
): Promise<ImportStateFile | undefined> {
  if (file === '-') return undefined;
  const identity = await identifyInput(io.fileSystem, file);
  return new ImportStateFile(io.fileSystem, flags.state ?? `${file}.kayactl-import.json`, identity, store.target);
}
