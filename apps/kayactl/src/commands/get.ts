/** `kayactl get KEY` */

import type { Command } from 'commander';

import { describeBytes, jsonBytes, parseKey } from '../bytes-text.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { withStore } from '../store/with-store.ts';

interface GetFlags {
  readonly raw?: boolean;
  readonly stale?: boolean;
}

export function addGetCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('get')
    .summary('print the value of a key')
    .description(
      'Prints the value of KEY and a newline, byte for byte into a pipe or file. On a terminal, a value that is ' +
        'not printable text is shown as hex:... A key that is not there prints NOT_FOUND and ends with status 2.',
    )
    .argument('<key>', 'the key, as text or as 0x... or hex:...')
    .option('--raw', 'print the bytes of the value and nothing else')
    .option('--stale', 'of a server: what it has, which may be old; answered without a quorum too');
  examples(command, [
    'kayactl get user/1',
    'kayactl --server 127.0.0.1:7379 get user/1 --json',
    'kayactl get picture/1 --raw > picture.png',
  ]);
  invocation.handle<GetFlags>(command, async (context, [keyText = ''], flags) => {
    const key = parseKey(keyText);
    const { stale: isStale = false } = flags;
    const value = await withStore(context, { create: false, readsNode: true }, (store) => store.get(key, { isStale }));
    if (context.globals.json) return printJson(context, key, value);
    return flags.raw === true ? printRaw(context, value) : printText(context, value);
  });
}

async function printJson(context: CommandContext, key: Uint8Array, value: Uint8Array | undefined): Promise<ExitCode> {
  const found = value !== undefined;
  await context.output.json({
    found,
    ...jsonBytes('key', key),
    ...(value === undefined ? {} : jsonBytes('value', value)),
  });
  return found ? EXIT.ok : EXIT.notFound;
}

async function printText({ output }: CommandContext, value: Uint8Array | undefined): Promise<ExitCode> {
  if (value === undefined) {
    await output.line('NOT_FOUND');
    return EXIT.notFound;
  }
  if (output.stdout.isTTY === true) {
    await output.line(describeBytes(value));
    return EXIT.ok;
  }
  await output.write(value);
  await output.write('\n');
  return EXIT.ok;
}

/** Whatever reads the raw bytes must not mistake NOT_FOUND for them. */
async function printRaw({ output }: CommandContext, value: Uint8Array | undefined): Promise<ExitCode> {
  if (value === undefined) {
    await output.note('NOT_FOUND');
    return EXIT.notFound;
  }
  await output.write(value);
  return EXIT.ok;
}
