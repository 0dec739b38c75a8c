/** `kayactl members` */

import type { Command } from 'commander';

import { askMembers } from '../cluster/ask-members.ts';
import { flagOf } from '../cluster/fields.ts';
import { describeMembers, describeVotes, readMembers, votesOf } from '../cluster/member-list.ts';
import { requireServers } from '../cluster/run-change.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { plainText } from '../plain-text.ts';
import { withServers } from '../store/connect-servers.ts';

export function addMembersCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('members')
    .summary('print who belongs to the cluster, and what it can bear')
    .description(
      'Asks the leader for the members of its cluster: who votes, who learns, who answers, how far each is behind, and where it is ' +
        'reached. Ends with how many may fail. A node that knows no leader answers with what it knows itself.',
    );
  examples(command, ['kayactl --server 10.0.0.1:7379 members', 'kayactl --server 10.0.0.1:7379 members --json']);
  invocation.handle(command, async (context) => {
    requireServers(context, 'members');
    const { output, globals } = context;
    const document = await withServers(context, (client) => askMembers(context, client));
    if (globals.json) {
      await output.json(document);
      return EXIT.ok;
    }
    const members = readMembers(document);
    await output.line(plainText(await describeMembers(members)));
    await output.line(describeVotes(votesOf(members)));
    if (flagOf(document, 'is_joint') === true) await output.line('a change of the voters is under way');
    return EXIT.ok;
  });
}
