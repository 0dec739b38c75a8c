/** `kayactl status` */

import type { Command } from 'commander';

import { type ClusterPicture, drawPicture, type NodePicture } from '../cluster/cluster-picture.ts';
import { flagOf, numberOf } from '../cluster/fields.ts';
import { describeVotes, type Votes } from '../cluster/member-list.ts';
import { describeCluster } from '../cluster/status-table.ts';
import { type NodeReport, Survey } from '../cluster/survey.ts';
import { describeStoreServers } from '../cluster/version-1-table.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { plainText } from '../plain-text.ts';
import { counterOf } from '../stats-text.ts';
import { refuseDurability } from '../store/remote-store.ts';
import { useAndClose } from '../store/use-and-close.ts';
import { withStore } from '../store/with-store.ts';

export function addStatusCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('status')
    .summary('print a line for each node of the cluster, or the state of the folder')
    .description(
      'Asks every --server, and every member that these know of, for its role, health and place in the log, and prints a line for each. ' +
        'The status is 1 when a node does not answer, has ended, or hears no leader. With --data it opens the store and prints what it holds.',
    );
  examples(command, [
    'kayactl --server 127.0.0.1:7379 status',
    'kayactl --server 10.0.0.1:7379 --server 10.0.0.2:7379 status --json',
    'kayactl --data ./data status',
  ]);
  invocation.handle(command, (context) =>
    context.globals.servers.length > 0 ? printCluster(context) : printFolder(context),
  );
}

async function printCluster(context: CommandContext): Promise<ExitCode> {
  const { output, globals } = context;
  refuseDurability(context);
  const reports = await useAndClose(new Survey(context), (survey) => survey.ask());
  const picture = drawPicture(reports);
  if (globals.json) await output.json(documentOf(picture));
  else if (isOfVersion1(reports)) await output.line(plainText(await describeStoreServers(reports)));
  else {
    await output.line(plainText(await describeCluster(picture)));
    await output.flush();
    if (!picture.isWhole || picture.leader === undefined) await output.note(describeTrouble(picture));
  }
  return picture.isWhole ? EXIT.ok : EXIT.io;
}

/** Whoever answers does it with a document of counters. */
function isOfVersion1(reports: readonly NodeReport[]): boolean {
  const answers = reports.filter(({ ok }) => ok);
  return answers.length > 0 && answers.every(({ node }) => node === undefined);
}

function documentOf({ nodes, leader, votes }: ClusterPicture): object {
  return {
    nodes: nodes.map((node) => {
      const { endpoint, ok, node: id = null } = node;
      if (!node.ok) return { endpoint, ok, node: id, code: node.code, error: node.error };
      return {
        endpoint,
        ok,
        node: id,
        role: node.role,
        health: node.health,
        lag: node.lag ?? null,
        stats: node.document,
      };
    }),
    leader: leader ?? null,
    votes: votes === undefined ? null : { ...votes, answering: votes.answering ?? null },
  };
}

function describeTrouble({ leader, votes, nodes }: ClusterPicture): string {
  if (leader !== undefined && votes !== undefined) return `${describeVotes(votes)}${describeUnreached(votes, nodes)}`;
  const heard = nodes.find((node) => node.ok && flagOf(node.document, 'has_leader') === true);
  if (heard?.ok === true) {
    return `node ${numberOf(heard.document, 'leader') ?? '?'} leads, as node ${heard.node ?? '?'} says, and was not reached from here`;
  }
  const answers = nodes.filter(({ ok }) => ok).length;
  const [first] = nodes;
  if (answers === 0 && first?.ok === false) return `no node has answered\nHINT: ${first.hint}`;
  return `no leader is heard: nothing can be written until more than half of the voters reach each other; ${answers} of ${nodes.length} nodes answer here`;
}

/** Who leads may hear nodes that are not reached from here. */
function describeUnreached({ voters, answering = 0 }: Votes, nodes: readonly NodePicture[]): string {
  const unreached = nodes.flatMap(({ ok, node, endpoint }) =>
    ok ? [] : [node === undefined ? endpoint : `node ${node}`],
  );
  return unreached.length > voters - answering ? `; not reached from here: ${unreached.join(', ')}` : '';
}

async function printFolder(context: CommandContext): Promise<ExitCode> {
  const { output, globals } = context;
  const status = await withStore(context, { create: false }, async (store) => {
    const stats = await store.stats();
    return {
      directory: store.target,
      last_sequence: counterOf(stats, 'last_sequence') ?? 0,
      sstable_count: counterOf(stats, 'sstable_count') ?? 0,
      sstable_bytes: counterOf(stats, 'sstable_bytes') ?? 0,
      memtable_entries: counterOf(stats, 'memtable_entries') ?? 0,
      recovered_records: counterOf(stats, 'recovered_records') ?? 0,
      truncated_bytes: counterOf(stats, 'truncated_bytes') ?? 0,
    };
  });
  if (globals.json) await output.json(status);
  else for (const [name, value] of Object.entries(status)) await output.line(`${name} ${value}`);
  return EXIT.ok;
}
