/** `kayactl add-node ID RAFT CLIENT` */

import type { Command } from 'commander';

import { awaitMember } from '../cluster/await-member.ts';
import { commandFor, requireServers, runChange } from '../cluster/run-change.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { parseAddress, parseCount, parseNode } from '../global-options.ts';
import type { Invocation } from '../invocation.ts';
import { withServers } from '../store/connect-servers.ts';

interface AddNodeFlags {
  readonly learner?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly waitTimeout?: number;
}

/** A week: a snapshot may be large, and the network slow. */
const MAX_WAIT_S = 7 * 24 * 60 * 60;

export function addAddNodeCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('add-node')
    .summary('add a node to the cluster')
    .description(
      'Adds node ID, which is reached by the other nodes at RAFT and by clients at CLIENT. It begins as a learner, is sent what the ' +
        'cluster has, and gets a vote by itself when it has caught up; with --learner it gets none before "promote". Start it with ' +
        '--join-cluster and an empty folder, before or after. Needs the operator token, if there is one.',
    )
    .argument('<id>', 'number of the new node', parseNode)
    .argument('<raft>', 'host:port for the other nodes', parseAddress)
    .argument('<client>', 'host:port for clients', parseAddress)
    .option('--learner', 'it stays without a vote')
    .option('--dry-run', 'say what it would do, and do nothing')
    .option('--wait', 'return when it votes; with --learner, when it has caught up')
    .option('--wait-timeout <seconds>', 'the same, but give up after so long, with status 1', (text) =>
      parseCount(text, 1, MAX_WAIT_S),
    );
  examples(command, [
    'kayactl --server 10.0.0.1:7379 add-node 4 10.0.0.4:7481 10.0.0.4:7379 --dry-run',
    'kayactl --server 10.0.0.1:7379 add-node 4 10.0.0.4:7481 10.0.0.4:7379 --wait',
  ]);
  invocation.handle<AddNodeFlags>(command, async (context, [id = '', raftAddress = '', clientAddress = ''], flags) => {
    requireServers(context, 'add-node');
    const { output, globals } = context;
    const { learner: isLearner = false, dryRun: isDryRun = false, waitTimeout = Number.POSITIVE_INFINITY } = flags;
    const isAwaited = flags.wait === true || flags.waitTimeout !== undefined;
    const member = { id: Number(id), raftAddress, clientAddress, isLearner };
    return withServers(context, async (client) => {
      await runChange(context, { ask: (options) => client.addMember(member, options), isDryRun });
      if (isDryRun) return EXIT.ok;
      const goal = isLearner ? 'it has caught up' : 'it votes';
      if (!isAwaited) {
        if (!globals.json) {
          await output.note(`Watch it with "${commandFor(context, 'members')}"; --wait would return when ${goal}.`);
        }
        return EXIT.ok;
      }
      await output.flush();
      const { kind } = await awaitMember(
        context,
        client,
        member.id,
        isLearner ? 'learner' : 'voter',
        waitTimeout * 1_000,
      );
      const done = `node ${member.id} is a ${kind}${kind === 'voter' ? '' : ' that has caught up'}`;
      await (globals.json ? output.json({ ok: true, node: member.id, kind }) : output.line(`OK ${done}`));
      return EXIT.ok;
    });
  });
}
