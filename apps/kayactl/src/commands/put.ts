/** `kayactl put KEY VALUE` */

import type { Command } from 'commander';

import { parseKey, parseValue } from '../bytes-text.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { withStore } from '../store/with-store.ts';
import { printReceipt } from './print-receipt.ts';

export function addPutCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('put')
    .summary('store a value under a key')
    .description('Stores VALUE under KEY, replacing what was there. Both are text, or bytes as 0x... or hex:...')
    .argument('<key>', 'the key, 1 to 4096 bytes')
    .argument('<value>', 'the value, at most 16 MiB');
  examples(command, [
    'kayactl put user/1 Ada',
    'kayactl --server 127.0.0.1:7379 put hex:00ff01 0xdeadbeef',
    'kayactl put --json -- -key -value',
  ]);
  invocation.handle(command, async (context, [keyText = '', valueText = '']) => {
    const key = parseKey(keyText);
    const value = parseValue(valueText);
    const receipt = await withStore(context, { create: true }, (store) => store.put(key, value));
    await printReceipt(context, receipt);
    return EXIT.ok;
  });
}
