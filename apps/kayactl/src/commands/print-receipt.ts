/** What `put` and `delete` print. */

import type { CommandContext } from '../invocation.ts';
import type { WriteReceipt } from '../store/store.ts';

/** A server's numbers are in the JSON only: scripts compare its text with `OK`. */
export async function printReceipt({ output, globals }: CommandContext, receipt: WriteReceipt): Promise<void> {
  if (globals.json) await output.json({ ok: true, ...receipt });
  else if (receipt === undefined || 'revision' in receipt) await output.line('OK');
  else await output.line(`OK sequence=${receipt.sequence} lsn=${receipt.lsn} durable=${receipt.durable}`);
}
