/** `kayactl remove-node ID` */

import type { Command } from 'commander';

import { requireServers, runChange } from '../cluster/run-change.ts';
import { examples } from '../examples.ts';
import { parseNode } from '../global-options.ts';
import type { Invocation } from '../invocation.ts';
import { withServers } from '../store/connect-servers.ts';

interface RemoveNodeFlags {
  readonly dryRun?: boolean;
}

export function addRemoveNodeCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('remove-node')
    .summary('take a node out of the cluster')
    .description(
      'Takes node ID out of the cluster: it stops serving and says so, and its folder is not started again. Nobody is asked to confirm: ' +
        'a change that would cost the cluster its quorum is refused with the arithmetic, and --dry-run shows it before. Needs the ' +
        'operator token, if there is one.',
    )
    .argument('<id>', 'number of the node', parseNode)
    .option('--dry-run', 'say what it would do, and do nothing');
  examples(command, [
    'kayactl --server 10.0.0.1:7379 remove-node 4 --dry-run',
    'kayactl --server 10.0.0.1:7379 remove-node 4',
  ]);
  invocation.handle<RemoveNodeFlags>(command, async (context, [id = ''], { dryRun: isDryRun = false }) => {
    requireServers(context, 'remove-node');
    return withServers(context, (client) =>
      runChange(context, { ask: (options) => client.removeMember(Number(id), options), isDryRun }),
    );
  });
}
