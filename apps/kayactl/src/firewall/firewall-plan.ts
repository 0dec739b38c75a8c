/**
 * Who may reach which port of a node, worked out from the members of its cluster. Pure. The same plan is for every machine of the cluster.
 *
 * Invariant: the port for nodes is open to members and to addresses that the operator names, and to nobody else: who speaks there as a node can change everything.
 */

import { classifyAddress } from '@kayadb/codec';

import { usageError } from '../cli-error.ts';
import type { MemberRow } from '../cluster/member-list.ts';
import { parseSourceNetwork, type SourceNetwork } from './source-network.ts';

export interface FirewallSettings {
  /** Addresses by node, in the place of those that the cluster knows; also of nodes that are still to be added. */
  readonly addresses: ReadonlyMap<number, SourceNetwork>;
  /** Who may reach the ports for clients, apart from members. */
  readonly clients: readonly SourceNetwork[];
  /** Who may reach the HTTP port, apart from members. */
  readonly metrics: readonly SourceNetwork[];
  /** Of the HTTP listener, of which the cluster knows nothing. */
  readonly metricsPort: number;
}

export interface PortRule {
  readonly name: 'nodes' | 'clients' | 'metrics';
  /** Ascending. */
  readonly ports: readonly number[];
  /** Apart from members. */
  readonly others: readonly SourceNetwork[];
}

export interface FirewallPlan {
  readonly cluster: string;
  /** Up to where the log was applied where the members were read. */
  readonly index: number;
  /** By node, ascending. */
  readonly members: readonly { readonly node: number; readonly address: SourceNetwork }[];
  readonly rules: readonly [nodes: PortRule, clients: PortRule, metrics: PortRule];
}

export interface ClusterMembers {
  readonly cluster: string;
  readonly index: number;
  readonly members: readonly MemberRow[];
}

/** @throws CliError KAYA_USAGE for a member of which no address is known that a packet could come from, and for ports that would have two rules. */
export function planFirewall(cluster: ClusterMembers, settings: FirewallSettings): FirewallPlan {
  const addresses = new Map(cluster.members.map((member) => [member.node, addressOf(member, settings.addresses)]));
  for (const [node, address] of settings.addresses) addresses.set(node, address);
  const nodes = portsOf(cluster.members.map(({ peerAddress }) => peerAddress));
  const clients = portsOf(cluster.members.map(({ clientAddress }) => clientAddress));
  const metrics = [settings.metricsPort];
  const shared = nodes.find((port) => clients.includes(port) || metrics.includes(port));
  if (shared !== undefined) {
    throw usageError(
      `port ${shared} is that for nodes on one machine and another port on a second one, so no rules are right on both`,
      'Give all nodes the same ports, or write the rules of each machine by hand.',
    );
  }
  return {
    cluster: cluster.cluster,
    index: cluster.index,
    members: [...addresses].map(([node, address]) => ({ node, address })).toSorted((a, b) => a.node - b.node),
    rules: [
      { name: 'nodes', ports: nodes, others: [] },
      { name: 'clients', ports: clients, others: settings.clients },
      { name: 'metrics', ports: metrics, others: settings.metrics },
    ],
  };
}

/** Sources of one version of the protocol that may reach these ports, each once, in their order. */
export function sourcesOf(plan: FirewallPlan, rule: PortRule, version: 4 | 6): readonly string[] {
  const all = [...plan.members.map(({ address }) => address), ...rule.others];
  return [...new Set(all.filter((source) => source.version === version).map(({ text }) => text))];
}

function addressOf({ node, peerAddress }: MemberRow, given: FirewallSettings['addresses']): SourceNetwork {
  const named = given.get(node);
  if (named !== undefined) return named;
  const host = hostOf(peerAddress ?? '');
  const found = parseSourceNetwork(host);
  const hint = `Name the address that its packets come from with --address ${node}=IP.`;
  if (peerAddress === undefined) throw usageError(`the address of node ${node} is not known`, hint);
  if (found === undefined) {
    throw usageError(`node ${node} is known by the name ${host}, and rules take addresses`, hint);
  }
  if (classifyAddress(host) === 'loopback') {
    throw usageError(`node ${node} is known as ${host}, which is every machine itself`, hint);
  }
  return found;
}

/** Without the brackets of version 6. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/u, '').replaceAll(/[[\]]/gu, '');
}

function portsOf(addresses: readonly (string | undefined)[]): readonly number[] {
  const ports = addresses.flatMap((address) => {
    const port = Number(/:(?<port>\d+)$/u.exec(address ?? '')?.groups?.['port']);
    return Number.isSafeInteger(port) && port > 0 ? [port] : [];
  });
  return [...new Set(ports)].toSorted((a, b) => a - b);
}
