/** `kayactl transfer-leader [ID]` */

import type { Command } from 'commander';

import { numberOf } from '../cluster/fields.ts';
import { requireServers } from '../cluster/run-change.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { parseNode } from '../global-options.ts';
import type { Invocation } from '../invocation.ts';
import { withServers } from '../store/connect-servers.ts';

export function addTransferLeaderCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('transfer-leader')
    .summary('have another node lead')
    .description(
      'Hands leadership over to node ID, or to the voter that is the furthest. Returns when that leads, and prints who does. A node ' +
        'that leads already is left alone. Needs the operator token, if there is one.',
    )
    .argument('[id]', 'number of the node that is to lead', parseNode);
  examples(command, [
    'kayactl --server 10.0.0.1:7379 transfer-leader',
    'kayactl --server 10.0.0.1:7379 transfer-leader 2',
  ]);
  invocation.handle(command, async (context, [id]) => {
    requireServers(context, 'transfer-leader');
    const { output, globals, io } = context;
    const target = id === undefined ? undefined : Number(id);
    const document = await withServers(context, (client) => client.transferLeader(target, { signal: io.signal }));
    const leader = numberOf(document, 'leader') ?? null;
    await (globals.json ? output.json({ ok: true, leader }) : output.line(`OK node ${leader ?? '?'} leads`));
    return EXIT.ok;
  });
}
