/** What a person sees while the node starts and when it is ready: where it is, what it promises, and what to type next. */

import { formatEndpoint } from '@kayadb/transport';

import type { PeerSetting } from './peer-list.ts';
import type { TlsFiles } from './tls/tls-config.ts';

export interface BannerFacts {
  readonly version: string;
  readonly nodeId: number;
  /** `host:port` of the listeners, with the real ports. */
  readonly address: string;
  readonly peerAddress: string;
  /** `host:port` as clients and other nodes are told: where somebody elsewhere finds the node. */
  readonly toldAddress: string;
  readonly toldPeerAddress: string;
  /** URL of the HTTP listener. */
  readonly reportsUrl: string | undefined;
  readonly directory: string;
  readonly peers: readonly PeerSetting[];
  readonly isJoining: boolean;
  /** Of the cluster; none while it has no cluster. */
  readonly members: readonly number[];
  readonly tlsFiles: TlsFiles | undefined;
  readonly requiresClientCertificate: boolean;
  readonly hasClientToken: boolean;
  readonly hasOperatorToken: boolean;
  /** Anyone who reaches the address can read and write. */
  readonly isOpen: boolean;
}

const PROGRAM = 'corepack pnpm -s';

/** For a node that cannot serve anything before others are there. */
export function describeWaiting(facts: BannerFacts): string {
  const { version, nodeId, peers, isJoining, toldAddress, toldPeerAddress } = facts;
  const whom = peers.map(({ node, address: at }) => `node ${node} at ${formatEndpoint(at)}`).join(', ');
  const what = isJoining
    ? [
        `waits to be added to the cluster of ${whom}.`,
        '',
        'To add it, in another terminal:',
        ...tokenLine('KAYA_OPERATOR_TOKEN', facts.hasOperatorToken),
        `  ${kayactl(facts, peers[0]?.clientAddress ?? '')} add-node ${nodeId} ${toldPeerAddress} ${toldAddress}`,
      ]
    : [
        `waits for ${whom}.`,
        '',
        'It serves as soon as a majority of them is there; start the others with the same nodes.',
      ];
  const [first = '', ...others] = what;
  return [`KayaDB ${version}, node ${nodeId}, ${first}`, ...others, '', 'Ctrl-C stops it.', ''].join('\n');
}

export function describeBanner(facts: BannerFacts): string {
  const { version, nodeId, address, peerAddress, reportsUrl, directory, hasClientToken, isOpen } = facts;
  const command = kayactl(facts, facts.toldAddress);
  const lines = [
    `KayaDB ${version}, node ${nodeId}, is ready.`,
    '',
    `  clients     ${address}`,
    `  nodes       ${peerAddress}`,
    ...(reportsUrl === undefined ? [] : [`  reports     ${reportsUrl}`]),
    `  data        ${directory}`,
    `  cluster     ${describeMembers(facts)}`,
    '  durability  an acknowledged write is on the disks of a majority, and survives power loss',
    `  access      ${hasClientToken ? 'with the client token' : 'anyone who can connect'}${facts.tlsFiles === undefined ? '' : ', over TLS'}`,
    '',
    ...(isOpen ? ['WARNING: other machines can reach this address, and no client token is configured.', ''] : []),
    'What to type next, in another terminal:',
    ...tokenLine('KAYA_CLIENT_TOKEN', hasClientToken),
    `  ${command} put hello world`,
    `  ${command} get hello`,
    `  ${command} status`,
    '',
    'docs/operating/membership.md adds nodes to it. Ctrl-C stops it.',
    '',
  ];
  return lines.join('\n');
}

function describeMembers({ members, nodeId }: BannerFacts): string {
  return members.length === 1 && members[0] === nodeId ? 'this node alone' : `nodes ${members.join(', ')}`;
}

function kayactl({ tlsFiles, requiresClientCertificate }: BannerFacts, address: string): string {
  const tls = tlsFiles === undefined ? '' : ` --tls-ca ${tlsFiles.ca}`;
  const certificate = requiresClientCertificate ? ' --tls-cert YOURS.crt --tls-key YOURS.key' : '';
  return `${PROGRAM} kayactl${tls}${certificate} --server ${address}`;
}

function tokenLine(name: string, hasToken: boolean): readonly string[] {
  return hasToken ? [`  export ${name}=...`] : [];
}
