/** `kayactl promote ID` */

import type { Command } from 'commander';

import { requireServers, runChange } from '../cluster/run-change.ts';
import { examples } from '../examples.ts';
import { parseNode } from '../global-options.ts';
import type { Invocation } from '../invocation.ts';
import { withServers } from '../store/connect-servers.ts';

interface PromoteFlags {
  readonly dryRun?: boolean;
}

export function addPromoteCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('promote')
    .alias('promote-learner')
    .summary('give a learner a vote')
    .description(
      'Makes learner ID a voter. A node that was added without --learner becomes one by itself. Needs the operator token, if there is one.',
    )
    .argument('<id>', 'number of the node', parseNode)
    .option('--dry-run', 'say what it would do, and do nothing');
  examples(command, ['kayactl --server 10.0.0.1:7379 promote 4']);
  invocation.handle<PromoteFlags>(command, async (context, [id = ''], { dryRun: isDryRun = false }) => {
    requireServers(context, 'promote');
    return withServers(context, (client) =>
      runChange(context, { ask: (options) => client.promoteMember(Number(id), options), isDryRun }),
    );
  });
}
