/** `kayactl status` */

import type { Command } from 'commander';

import { CliError } from '../cli-error.ts';
import { describeError } from '../describe-error.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { counterOf, engineCounters } from '../stats-text.ts';
import { openRemoteStore } from '../store/remote-store.ts';
import type { StatsDocument, Store } from '../store/store.ts';
import { withStore } from '../store/with-store.ts';
import { formatTable } from '../table-text.ts';

type NodeStatus =
  | { readonly endpoint: string; readonly ok: true; readonly role: string; readonly stats: StatsDocument }
  | { readonly endpoint: string; readonly ok: false; readonly code: string; readonly error: string };

/** Columns of a node's row: heading, and where the number comes from. */
const NODE_COLUMNS = [
  ['TERM', 'term'],
  ['COMMIT', 'commit_index'],
  ['APPLIED', 'applied_index'],
] as const;
const ENGINE_COLUMNS = [
  ['SEQUENCE', 'last_sequence'],
  ['TABLES', 'sstable_count'],
] as const;

export function addStatusCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('status')
    .summary('print one line for each server, or the state of the folder')
    .description(
      'Asks every --server for its role and place in the log, and prints a line for each; a server that does not ' +
        'answer makes the status 1. With --data it opens the store and prints what it holds.',
    );
  examples(command, [
    'kayactl --server 127.0.0.1:7379 status',
    'kayactl --server 10.0.0.1:7379 --server 10.0.0.2:7379 status --json',
    'kayactl --data ./data status',
  ]);
  invocation.handle(command, (context) =>
    context.globals.servers.length > 0 ? printNodes(context) : printFolder(context),
  );
}

async function printNodes(context: CommandContext): Promise<ExitCode> {
  const { output, globals } = context;
  const nodes = await Promise.all(globals.servers.map((endpoint) => askNode(context, endpoint)));
  if (globals.json) await output.json({ nodes });
  else await output.line(await describeNodes(nodes));
  return nodes.every(({ ok }) => ok) ? EXIT.ok : EXIT.io;
}

async function askNode(context: CommandContext, endpoint: string): Promise<NodeStatus> {
  let store: Store | undefined;
  try {
    store = openRemoteStore(context, [endpoint]);
    const { role } = await store.health();
    return { endpoint, ok: true, role, stats: await store.stats() };
  } catch (error) {
    // Wrong use of the command is no news about a node.
    if (error instanceof CliError) throw error;
    const { code, message } = describeError(error);
    return { endpoint, ok: false, code, error: message };
  } finally {
    await store?.close().catch(() => {});
  }
}

function show(document: StatsDocument, name: string): string {
  return String(counterOf(document, name) ?? '-');
}

function describeNodes(nodes: readonly NodeStatus[]): Promise<string> {
  const head = ['SERVER', 'ROLE', ...NODE_COLUMNS.map(([name]) => name), ...ENGINE_COLUMNS.map(([name]) => name)];
  const rows = nodes.map((node) => {
    if (!node.ok) return [node.endpoint, node.error];
    const engine = engineCounters(node.stats);
    return [
      node.endpoint,
      node.role,
      ...NODE_COLUMNS.map(([, name]) => show(node.stats, name)),
      ...ENGINE_COLUMNS.map(([, name]) => show(engine, name)),
    ];
  });
  return formatTable(head, rows);
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
