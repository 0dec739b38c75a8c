/** What `put` and `delete` print. */

import type { CommandContext } from '../invocation.ts';
import type { WriteReceipt } from '../store/store.ts';

/** @param receipt - `undefined` for a server, which acknowledges and tells no more. */
export async function printReceipt(context: CommandContext, receipt: WriteReceipt | undefined): Promise<void> {
  const { output, globals } = context;
  if (receipt === undefined) {
    await (globals.json ? output.json({ ok: true }) : output.line('OK'));
    return;
  }
  const { sequence, lsn, durable } = receipt;
  if (globals.json) await output.json({ ok: true, sequence, lsn, durable });
  else await output.line(`OK sequence=${sequence} lsn=${lsn} durable=${durable}`);
}
