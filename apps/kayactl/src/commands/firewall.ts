/** `kayactl firewall` */

import type { JsonDocument } from '@kayadb/client';
import { type Command, InvalidArgumentError, Option } from 'commander';

import { askMembers } from '../cluster/ask-members.ts';
import { numberOf, textOf } from '../cluster/fields.ts';
import { readMembers } from '../cluster/member-list.ts';
import { requireServers } from '../cluster/run-change.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { type FirewallPlan, planFirewall } from '../firewall/firewall-plan.ts';
import { describeNftables } from '../firewall/nftables-text.ts';
import { parseSourceNetwork, type SourceNetwork } from '../firewall/source-network.ts';
import { describeUfw } from '../firewall/ufw-text.ts';
import { parseCount } from '../global-options.ts';
import type { Invocation } from '../invocation.ts';
import { withServers } from '../store/connect-servers.ts';

interface FirewallFlags {
  readonly format: 'nftables' | 'ufw';
  readonly clients?: readonly SourceNetwork[];
  readonly metrics?: readonly SourceNetwork[];
  readonly metricsPort: number;
  readonly address?: ReadonlyMap<number, SourceNetwork>;
}

const MAX_PORT = 65_535;

export function addFirewallCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('firewall')
    .summary('print rules for a firewall from the members of the cluster')
    .description(
      'Asks for the members and prints rules for the machines that they are on: the port for nodes is open to members and nobody else, ' +
        'those for clients and HTTP to members and the networks that are named. Nothing is changed; the rules touch no other port.',
    )
    .addOption(new Option('--format <name>', 'for which firewall').choices(['nftables', 'ufw']).default('nftables'))
    .option('--clients <network>', 'who else may reach the port for clients, such as 10.0.0.0/8; repeat it', collect)
    .option('--metrics <network>', 'who else may reach the HTTP port; repeat it', collect)
    .option('--metrics-port <port>', 'the HTTP port', (text) => parseCount(text, 1, MAX_PORT), 9090)
    .option(
      '--address <id=ip>',
      'where packets of a node come from, in place of what the cluster knows, or of one that is to be added; repeat it',
      collectAddress,
    );
  examples(command, [
    'kayactl --server 10.0.0.1:7379 firewall --clients 10.0.0.0/8 > kayadb.nft && nft -c -f kayadb.nft',
    'kayactl --server 10.0.0.1:7379 firewall --format ufw --clients 10.0.1.0/24 --metrics 10.0.0.9',
    'kayactl --server 10.0.0.1:7379 firewall --address 4=10.0.0.4',
  ]);
  invocation.handle<FirewallFlags>(command, async (context, _, flags) => {
    requireServers(context, 'firewall');
    const document = await withServers(context, (client) => askMembers(context, client));
    const cluster = {
      cluster: clusterOf(document),
      index: numberOf(document, 'index') ?? 0,
      members: readMembers(document),
    };
    const plan = planFirewall(cluster, {
      addresses: flags.address ?? new Map(),
      clients: flags.clients ?? [],
      metrics: flags.metrics ?? [],
      metricsPort: flags.metricsPort,
    });
    const { format } = flags;
    const rules = format === 'ufw' ? describeUfw(plan) : describeNftables(plan);
    const { output, globals } = context;
    await (globals.json ? output.json(documentOf(format, plan, rules)) : output.write(rules));
    return EXIT.ok;
  });
}

/** What a server says ends up in a script that root runs, so nothing but an id passes. */
function clusterOf(document: JsonDocument): string {
  const cluster = textOf(document, 'cluster') ?? '';
  return /^[0-9a-f]{32}$/u.test(cluster) ? cluster : 'unknown';
}

function documentOf(format: string, { cluster, index, members }: FirewallPlan, rules: string): object {
  return {
    format,
    cluster,
    index,
    members: members.map(({ node, address }) => ({ node, address: address.text })),
    rules,
  };
}

function collect(text: string, earlier: readonly SourceNetwork[] = []): readonly SourceNetwork[] {
  return [...earlier, parseNetwork(text)];
}

function collectAddress(
  text: string,
  earlier: ReadonlyMap<number, SourceNetwork> = new Map(),
): ReadonlyMap<number, SourceNetwork> {
  const match = /^(?<node>[1-9]\d{0,15})=(?<address>[^/]+)$/u.exec(text)?.groups;
  if (match === undefined) throw new InvalidArgumentError('Write it as node=address, for example 4=10.0.0.4.');
  return new Map([...earlier, [parseCount(match['node']!, 1), parseNetwork(match['address']!)]]);
}

function parseNetwork(text: string): SourceNetwork {
  const network = parseSourceNetwork(text);
  if (network !== undefined) return network;
  throw new InvalidArgumentError('Write an address or network, for example 10.0.0.1, 10.0.0.0/8 or fd00::/8.');
}
