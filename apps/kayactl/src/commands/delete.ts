/** `kayactl delete KEY` */

import type { Command } from 'commander';

import { parseKey } from '../bytes-text.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { withStore } from '../store/with-store.ts';
import { printReceipt } from './print-receipt.ts';

export function addDeleteCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('delete')
    .summary('remove a key')
    .description('Removes KEY. Removing a key that is not there is no error.')
    .argument('<key>', 'the key, as text or as 0x... or hex:...');
  examples(command, ['kayactl delete user/1', 'kayactl --server 127.0.0.1:7379 delete user/1 --json']);
  invocation.handle(command, async (context, [keyText = '']) => {
    const key = parseKey(keyText);
    const receipt = await withStore(context, { create: false }, (store) => store.delete(key));
    await printReceipt(context, receipt);
    return EXIT.ok;
  });
}
