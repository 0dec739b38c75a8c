/** `kayactl export [FILE]` */

import type { Command } from 'commander';

import { jsonRow } from '../bytes-text.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { type ExportTarget, openExportTarget } from '../export/export-target.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { openProgress, type Progress } from '../progress.ts';
import { addRangeOptions, type RangeFlags, readRange } from '../range-options.ts';
import type { Row } from '../store/store.ts';
import { withStore } from '../store/with-store.ts';

interface ExportFlags extends RangeFlags {
  readonly prefix?: string;
  readonly gzip?: boolean;
}

interface ExportCounts {
  readonly records: number;
  readonly bytes: number;
}

export function addExportCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('export')
    .summary('write rows as a JSON Lines file')
    .description(
      'Writes one line {"key":"...","value":"..."} for each row, in key order, to FILE or standard output. Bytes that ' +
        'are no text are written as "key_hex" and "value_hex"; import reads them back. FILE appears under its name only ' +
        'when it is complete, and replaces what was there.',
    )
    .argument('[file]', 'the file, packed if its name ends in .gz; standard output when absent or -')
    .option('--prefix <prefix>', 'only keys that begin so')
    .option('--gzip', 'pack the output with gzip');
  addRangeOptions(command);
  examples(command, [
    'kayactl --server 127.0.0.1:7379 export backup.jsonl.gz',
    'kayactl --data ./data export --prefix user/ | sort',
    'kayactl export --gte user/1 --lt user/2 part.jsonl',
  ]);
  invocation.handle<ExportFlags>(command, async (context, [file = '-'], flags) => {
    const { io, globals, output } = context;
    const range = readRange(flags, flags.prefix, io.signal);
    const startedMs = io.clock.now();
    const counts = await withStore(context, { create: false, readsNode: true }, async (store) => {
      const gzip = flags.gzip === true || file.endsWith('.gz');
      const target = await openExportTarget(file, gzip, io.fileSystem, output);
      return exportRows(context, store.rows(range), target);
    });
    const seconds = Math.round(io.clock.now() - startedMs) / 1000;
    const { records, bytes } = counts;
    await output.flush();
    await output.note(
      globals.json
        ? JSON.stringify({ ok: true, records, bytes, seconds })
        : `exported ${records} records, ${bytes} bytes in ${seconds} s`,
    );
    return EXIT.ok;
  });
}

async function exportRows(
  context: CommandContext,
  rows: AsyncIterable<Row>,
  target: ExportTarget,
): Promise<ExportCounts> {
  const { output, globals } = context;
  let progress: Progress | undefined;
  let records = 0;
  try {
    // Rows that scroll by on the same terminal are progress enough.
    const isShared = target.isStdout && output.stdout.isTTY === true;
    progress = await openProgress({ stream: output.stderr, json: globals.json || isShared, totalBytes: undefined });
    for await (const { key, value } of rows) {
      await target.write(`${jsonRow(key, value)}\n`);
      records++;
      if (records % 1000 === 0) progress.update(target.bytes, records);
    }
    await target.finish();
    return { records, bytes: target.bytes };
  } catch (error) {
    // The failure that led here is the one to report.
    await target.abandon().catch(() => {});
    throw error;
  } finally {
    progress?.stop();
  }
}
