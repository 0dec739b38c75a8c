/** Settings that only make sense together: who is in the group, what each is told of the others, and how soon a lost leader is replaced. */

import { classifyAddress } from '@kayadb/codec';
import { LEAST_HEARTBEATS } from '@kayadb/server';
import { type Endpoint, formatEndpoint } from '@kayadb/transport';

import type { Said } from './layers.ts';
import { parsePeers, type PeerList, type PeerSetting } from './peer-list.ts';
import { UsageError } from './usage-error.ts';

export interface Timing {
  readonly heartbeatMs: number;
  readonly electionMs: number;
}

export interface GroupConfig {
  readonly peers: readonly PeerSetting[];
  readonly isJoining: boolean;
  readonly advertisedClientAddress: string | undefined;
  readonly advertisedPeerAddress: string | undefined;
  readonly timing: Timing;
  readonly keepsLeases: boolean;
  /** To be logged once there is a logger: what may well be meant, and may not. */
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/** @throws UsageError for settings that exclude each other. */
export function resolveGroup(said: Said): GroupConfig {
  const { settings } = said;
  const list = parsePeers(
    settings['node-id'],
    { name: said.nameOf('peer'), texts: settings.peer ?? [] },
    { name: said.nameOf('peer-identity'), texts: settings['peer-identity'] ?? [] },
  );
  checkJoining(said, list);
  checkDurability(said);
  const advertisedClientAddress = resolveAdvertised(said, 'client-addr', 'advertise-client-addr', 'clients');
  const advertisedPeerAddress = resolveAdvertised(said, 'raft-addr', 'advertise-raft-addr', 'other nodes');
  return {
    peers: list.peers,
    isJoining: settings['join-cluster'],
    advertisedClientAddress,
    advertisedPeerAddress,
    timing: resolveTiming(said),
    keepsLeases: settings['read-leases'],
    warnings: warnOfLoopback(said, list.peers),
    notes: list.namesItself ? [`${said.nameOf('peer')} names node ${settings['node-id']}, which is this one`] : [],
  };
}

function checkJoining({ settings, nameOf }: Said, { peers }: PeerList): void {
  if (!settings['join-cluster'] || peers.length > 0) return;
  throw new UsageError(
    `${nameOf('join-cluster')} needs at least one other node to ask`,
    'name one or more members of the cluster with --peer',
  );
}

/** The log of the group is what makes writes durable, and it has one mode. */
function checkDurability({ settings, nameOf }: Said): void {
  const { durability } = settings;
  if (durability === 'strict') return;
  throw new UsageError(
    `${nameOf('durability')} ${durability} is not available: a node acknowledges a write when it is on the disks of a majority of its group, and nothing less`,
    'leave it out; interval and relaxed are modes of the embedded engine, @kayadb/engine',
  );
}

function resolveAdvertised(
  { settings, nameOf }: Said,
  listens: 'client-addr' | 'raft-addr',
  advertises: 'advertise-client-addr' | 'advertise-raft-addr',
  whom: string,
): string | undefined {
  const advertised = settings[advertises];
  if (advertised !== undefined) return formatEndpoint(advertised);
  const address = settings[listens];
  if (classifyAddress(address.host) !== 'wildcard') return undefined;
  throw new UsageError(
    `${nameOf(listens)} ${formatEndpoint(address)} is every address of this machine, and ${whom} have to be told one`,
    `pass --${advertises} HOST:PORT as well`,
  );
}

function resolveTiming({ settings, nameOf }: Said): Timing {
  const { 'heartbeat-ms': heartbeatMs, 'election-ms': electionMs } = settings;
  if (electionMs >= LEAST_HEARTBEATS * heartbeatMs) return { heartbeatMs, electionMs };
  throw new UsageError(
    `${nameOf('election-ms')} ${electionMs} is less than ${LEAST_HEARTBEATS} heartbeats of ${heartbeatMs} ms, so that a short pause of the leader would cost it its place`,
    `give --election-ms ${LEAST_HEARTBEATS * heartbeatMs} or more, or a shorter --heartbeat-ms, the same on all nodes`,
  );
}

/** A node that tells machines elsewhere to come to loopback sends them to themselves. */
function warnOfLoopback({ settings, nameOf }: Said, peers: readonly PeerSetting[]): readonly string[] {
  const isElsewhere = peers.some(({ address }) => !isLoopback(address));
  if (!isElsewhere) return [];
  const pairs = [
    ['client-addr', 'advertise-client-addr', 'clients'],
    ['raft-addr', 'advertise-raft-addr', 'other nodes'],
  ] as const;
  return pairs.flatMap(([listens, advertises, whom]) => {
    const told = settings[advertises] ?? settings[listens];
    if (!isLoopback(told)) return [];
    return `other machines have nodes of this group, and ${whom} there are told ${formatEndpoint(told)} (${nameOf(listens)}), which is themselves; pass --${advertises}`;
  });
}

function isLoopback({ host }: Endpoint): boolean {
  return host === 'localhost' || classifyAddress(host) === 'loopback';
}
