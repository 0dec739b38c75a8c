/** `kayactl scan [PREFIX]` */

import type { Command } from 'commander';

import { describeBytes, jsonRow } from '../bytes-text.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { addRangeOptions, type RangeFlags, readRange } from '../range-options.ts';
import type { Row } from '../store/store.ts';
import { withStore } from '../store/with-store.ts';

export function addScanCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('scan')
    .summary('print the rows of a range of keys')
    .description(
      'Prints "key value" lines in key order. Keys and values that are not printable text are shown as hex:... ' +
        'A server of protocol v1 knows prefixes only, and cannot go backwards.',
    )
    .argument('[prefix]', 'only keys that begin so, as text or as 0x... or hex:...');
  addRangeOptions(command);
  examples(command, [
    'kayactl scan',
    'kayactl --server 127.0.0.1:7379 scan user/ --limit 20',
    'kayactl --data ./data scan --gte user/1 --lt user/2 --reverse --json',
  ]);
  invocation.handle<RangeFlags>(command, async (context, [prefix], flags) => {
    const range = readRange(flags, prefix, context.io.signal);
    await withStore(context, { create: false, readsNode: true }, (store) => {
      const rows = store.rows(range);
      return context.globals.json ? printJson(context, rows) : printText(context, rows);
    });
    return EXIT.ok;
  });
}

async function printText({ output }: CommandContext, rows: AsyncIterable<Row>): Promise<void> {
  for await (const { key, value } of rows) await output.line(`${describeBytes(key)} ${describeBytes(value)}`);
}

/** One document, written row by row: it is never held as a whole. Nothing is printed of a scan that cannot begin. */
async function printJson({ output }: CommandContext, rows: AsyncIterable<Row>): Promise<void> {
  let count = 0;
  for await (const { key, value } of rows) {
    await output.write(`${count === 0 ? '{"items":[' : ',\n'}${jsonRow(key, value)}`);
    count++;
  }
  await output.line(count === 0 ? '{"items":[]}' : ']}');
}
