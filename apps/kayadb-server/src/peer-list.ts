/** The other nodes of the group, as `--peer` and `--peer-identity` name them. */

import { type Endpoint, type ExpectedIdentity, formatEndpoint, parseSpkiPin } from '@kayadb/transport';

import { parseReachableAddress } from './reachable-address.ts';
import { MAX_NODE_ID } from './settings.ts';
import { UsageError } from './usage-error.ts';

/** As the node takes it. */
export interface PeerSetting {
  readonly node: number;
  readonly address: Endpoint;
  readonly clientAddress: string;
  readonly identity?: ExpectedIdentity;
}

/** Texts of one setting, as they were given. */
export interface PeerTexts {
  /** How the user would name the setting where they were given. */
  readonly name: string;
  readonly texts: readonly string[];
}

export interface PeerList {
  /** Ascending by node, without this one. */
  readonly peers: readonly PeerSetting[];
  /** Whether the list names this node too, which is passed over: one list then does for all nodes. */
  readonly namesItself: boolean;
}

/** @throws UsageError for the first text that cannot be used. */
export function parsePeers(nodeId: number, peers: PeerTexts, identities: PeerTexts): PeerList {
  const found = new Map<number, PeerSetting>();
  for (const text of peers.texts) {
    const peer = parsePeer(peers.name, text);
    if (found.has(peer.node)) {
      throw new UsageError(`${peers.name} ${text}: node ${peer.node} is named twice`, 'name each node once');
    }
    found.set(peer.node, peer);
  }
  const namesItself = found.delete(nodeId);
  for (const [node, identity] of parseIdentities(identities)) {
    const peer = found.get(node);
    if (peer !== undefined) found.set(node, { ...peer, identity });
    else if (node !== nodeId) {
      throw new UsageError(`${identities.name}: node ${node} is no peer`, `name it with --peer ${node}=HOST:PORT too`);
    }
  }
  return { peers: [...found.values()].toSorted((a, b) => a.node - b.node), namesItself };
}

/** `ID=RAFT[,CLIENT]`; without the second, clients are sent to the first, as in the original. */
function parsePeer(name: string, text: string): PeerSetting {
  const match = /^(?<id>\d+)=(?<raft>[^,]+)(?:,(?<client>[^,]+))?$/u.exec(text)?.groups;
  const node = parseNodeId(match?.['id']);
  const address = parseReachableAddress(match?.['raft'] ?? '');
  const client = parseReachableAddress(match?.['client'] ?? match?.['raft'] ?? '');
  if (node === undefined || address === undefined || client === undefined) {
    throw new UsageError(
      `${name} ${text}: expected a node with its address, such as 2=10.0.0.2:7481, or with that for clients behind it, such as 2=db2.example:7481,db2.example:7379`,
      'give the number of the node and where this node reaches it; names are allowed, wildcards and port 0 are not',
    );
  }
  return { node, address, clientAddress: formatEndpoint(client) };
}

/** Several pins of a node stand beside each other, so that its key can be replaced; a name stands alone. */
function parseIdentities({ name, texts }: PeerTexts): ReadonlyMap<number, ExpectedIdentity> {
  const found = new Map<number, ExpectedIdentity>();
  for (const text of texts) {
    const { node, identity } = parseIdentity(name, text);
    const before = found.get(node);
    if (before === undefined) found.set(node, identity);
    else if (before.kind === 'pin' && identity.kind === 'pin') {
      found.set(node, { kind: 'pin', spkiSha256: [...before.spkiSha256, ...identity.spkiSha256] });
    } else {
      throw new UsageError(
        `${name} ${text}: node ${node} has another identity already`,
        'give one name, or one or more pins',
      );
    }
  }
  return found;
}

function parseIdentity(name: string, text: string): { readonly node: number; readonly identity: ExpectedIdentity } {
  const match = /^(?<id>\d+)=(?<identity>\S+)$/u.exec(text)?.groups;
  const node = parseNodeId(match?.['id']);
  const who = match?.['identity'] ?? '';
  const isPin = who.startsWith('sha256/');
  const pin = isPin ? parseSpkiPin(who) : undefined;
  if (node === undefined || (isPin && pin === undefined)) {
    throw new UsageError(
      `${name} ${text}: expected a node with a name of its certificate, such as 2=db2.example, or with the hash of its key, such as 2=sha256/BASE64`,
      'the hash is SHA-256 of the public key, in base64 or as 64 hex digits; docs/operating/tls.md has the command for it',
    );
  }
  return { node, identity: pin === undefined ? { kind: 'name', name: who } : { kind: 'pin', spkiSha256: [pin] } };
}

function parseNodeId(text = ''): number | undefined {
  const node = Number(text);
  return text !== '' && node >= 1 && node <= MAX_NODE_ID ? node : undefined;
}
