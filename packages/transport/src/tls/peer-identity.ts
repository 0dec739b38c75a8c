/**
 * Who a certificate says somebody is, as plain values, and whether that is who was expected.
 *
 * Invariant: a certificate whose names cannot be read for certain has none; the subject's common name is for people and is never compared.
 * Source: RFC 6125, section 6.4.
 */

import { createHash, type X509Certificate } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';

import { assertNever } from '@kayadb/codec';

import { readAltNames } from './alt-names.ts';

/** Begins the name of a certificate that says which node it is of. */
const NODE_NAME = 'kayadb-node-';

/** What a certificate says, whose chain and time were checked where that was asked for. */
export interface PeerIdentity {
  /** For people, in one line; the names, when there is no subject. */
  readonly subject: string;
  /** Lower case; may begin with `*.`. */
  readonly dnsNames: readonly string[];
  /** Numeric, each in its one canonical spelling. */
  readonly ipAddresses: readonly string[];
  /** SHA-256 of the public key with its kind (SubjectPublicKeyInfo), 64 hex digits: outlives the certificate when the key is kept. */
  readonly spkiSha256: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Whom one wants to speak to: by a name or address of its certificate, or by one of some public keys. A node is told by its number where the certificate has names `kayadb-node-2`: then it
 * is that of these nodes and of no other. A certificate without such a name is told by `host`, where the node is; if that is not known, it is nobody's.
 */
export type ExpectedIdentity =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'node'; readonly node: number; readonly host: string | undefined }
  | { readonly kind: 'pin'; readonly spkiSha256: readonly string[] };

/** What TLS has found out about a connection. */
export interface ConnectionTls {
  /** Such as `TLSv1.3`. */
  readonly version: string;
  /** `undefined` when the other side was not asked for a certificate. */
  readonly peer: PeerIdentity | undefined;
}

/** Total: whatever a stranger's certificate has in it or lacks, this does not throw. */
export function peerIdentityOf(certificate: X509Certificate): PeerIdentity {
  const altNames = certificate.subjectAltName ?? '';
  const { dnsNames, ipAddresses } = readAltNames(altNames);
  // Declared to be there; a certificate may have names alone, and then it is not.
  const subject: string | undefined = certificate.subject;
  return {
    subject: subject === undefined ? altNames : subject.replaceAll('\n', ', '),
    dnsNames: dnsNames.map((name) => name.toLowerCase()),
    ipAddresses: ipAddresses.flatMap((address) => canonicalAddress(address) ?? []),
    spkiSha256: spkiSha256Of(certificate),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** Names are compared without regard to case; `*.` stands for one label in front of at least two others. */
export function matchesIdentity(peer: PeerIdentity, expected: ExpectedIdentity): boolean {
  switch (expected.kind) {
    case 'pin':
      return peer.spkiSha256 !== '' && expected.spkiSha256.includes(peer.spkiSha256);
    case 'node': {
      const nodes = peer.dnsNames.filter((name) => name.startsWith(NODE_NAME));
      if (nodes.length > 0) return nodes.includes(nodeName(expected.node));
      return expected.host !== undefined && hasName(peer, expected.host);
    }
    case 'name':
      return hasName(peer, expected.name);
    default:
      return assertNever(expected, 'identity');
  }
}

/** One line for errors. */
export function describeExpected(expected: ExpectedIdentity): string {
  switch (expected.kind) {
    case 'pin':
      return `a pinned key (${expected.spkiSha256.join(' or ')})`;
    case 'node':
      return [nodeName(expected.node), ...(expected.host === undefined ? [] : [expected.host])].join(' or ');
    case 'name':
      return expected.name;
    default:
      return assertNever(expected, 'identity');
  }
}

/** The name of a certificate that says which node it is of. */
export function nodeName(node: number): string {
  return `${NODE_NAME}${node}`;
}

/**
 * A pin as people write it: 64 hex digits with or without colons, or base64, with or without `sha256/` in front.
 *
 * @returns 64 lower case hex digits, or `undefined`.
 */
export function parseSpkiPin(text: string): string | undefined {
  // A slash behind the first may be a second one of curl's spelling, or the first digit in base64: the length of the rest tells.
  const [, bare = ''] = /^(?:sha256\/{1,2})?((?:[\da-f]{2}:?){32}|[a-z\d+/]{43}=)$/i.exec(text.trim()) ?? [];
  if (bare === '') return undefined;
  return bare.endsWith('=') ? Buffer.from(bare, 'base64').toString('hex') : bare.replaceAll(':', '').toLowerCase();
}

/** Empty for a key of a kind that is not known here, which no pin matches. */
function spkiSha256Of(certificate: X509Certificate): string {
  try {
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(spki).digest('hex');
  } catch {
    return '';
  }
}

function hasName({ dnsNames, ipAddresses }: PeerIdentity, host: string): boolean {
  const address = canonicalAddress(host);
  if (address !== undefined) return ipAddresses.includes(address);
  const name = host.toLowerCase().replace(/\.$/, '');
  return dnsNames.some((pattern) => matchesName(pattern, name));
}

function matchesName(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  const parent = pattern.slice(1);
  const label = name.slice(0, -parent.length);
  return parent.indexOf('.', 1) > 0 && name.endsWith(parent) && label !== '' && !label.includes('.');
}

function canonicalAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  return new SocketAddress({ address: text, family: version === 4 ? 'ipv4' : 'ipv6' }).address;
}
