/**
 * Keeps a node from being exposed by accident: says whether it may listen on an address, and if not, what to do.
 * Pure. docs/reference/server.md, "Where it may listen".
 */

import { type AddressScope, classifyAddress } from '@kayadb/codec';

/** Whom a port is for: `reports` is HTTP, which shows how the node is and takes no orders. */
export type PortPurpose = 'clients' | 'nodes' | 'reports';

export interface BindRequest {
  readonly purpose: PortPurpose;
  /** Numeric address without port or brackets. */
  readonly host: string;
  /** Name of the flag the address came from, for the sentence. */
  readonly flag: string;
  readonly allowPublicBind: boolean;
  readonly insecure: boolean;
  /** The port speaks TLS and nothing else. */
  readonly hasTls: boolean;
  /** Whoever connects has to show a token or a certificate before anything is done for them. */
  readonly isGuarded: boolean;
}

/**
 * `isExposed`: machines other than this one can reach the address.
 * `isOpen`: and nobody who does is asked who they are.
 */
export type BindVerdict =
  | { readonly kind: 'allowed'; readonly isExposed: boolean; readonly isOpen: boolean }
  | { readonly kind: 'refused'; readonly reason: string; readonly advice: string };

type ExposedScope = Exclude<AddressScope, 'loopback'>;

export function checkBind(request: BindRequest): BindVerdict {
  const { host, flag, purpose, isGuarded } = request;
  const scope = classifyAddress(host);
  if (scope === undefined) {
    return refused(
      `${flag} ${host}: not a numeric IP address`,
      'use an address such as 127.0.0.1 or [::1]; names are not looked up',
    );
  }
  if (scope === 'loopback') return { kind: 'allowed', isExposed: false, isOpen: false };
  const isAllowed = purpose === 'nodes' ? mayNodesUse(scope, request) : mayOthersUse(scope, request);
  if (isAllowed) return { kind: 'allowed', isExposed: true, isOpen: !isGuarded };
  return refuse(scope, request);
}

/** Whoever speaks to this port as a node can change everything, so nothing but TLS protects it, and a flag that is about something else does not lift that. */
function mayNodesUse(scope: ExposedScope, { allowPublicBind, insecure, hasTls }: BindRequest): boolean {
  switch (scope) {
    case 'private':
      return hasTls || insecure;
    case 'wildcard':
      return allowPublicBind && (hasTls || insecure);
    case 'public':
      return allowPublicBind && hasTls;
  }
}

function mayOthersUse(scope: ExposedScope, request: BindRequest): boolean {
  if (request.allowPublicBind) return true;
  return scope === 'private' && (request.isGuarded || request.hasTls || request.insecure);
}

const MISSING: Readonly<Record<PortPurpose, string>> = {
  clients: 'neither a client token nor TLS is configured',
  nodes: 'without TLS whoever does can pose as a node of the cluster',
  reports: 'neither a client token nor TLS is configured',
};

const ALLOWING: Readonly<Record<PortPurpose, string>> = {
  clients: 'pass --client-token-file FILE, or --insecure to let every machine on that network read and write',
  nodes:
    'pass --tls-cert, --tls-key and --tls-ca, or --insecure to let every machine on that network act as a node of the cluster',
  reports: 'pass --client-token-file FILE, or --insecure to let every machine on that network see all reports',
};

function refuse(scope: ExposedScope, { purpose, flag, host, allowPublicBind }: BindRequest): BindVerdict {
  const what = `${flag} ${host}`;
  if (scope === 'private') {
    return refused(`${what} can be reached from other machines, and ${MISSING[purpose]}`, ALLOWING[purpose]);
  }
  if (allowPublicBind) {
    return refused(
      `${what} can be reached from everywhere, and ${MISSING[purpose]}`,
      'pass --tls-cert, --tls-key and --tls-ca, or listen on a private or loopback address',
    );
  }
  return scope === 'wildcard'
    ? refused(
        `${what} would listen on every network of this machine`,
        'name one address of a private network, or pass --allow-public-bind if you mean it',
      )
    : refused(
        `${what} is a public address, and anyone could connect to it`,
        'listen on a private or loopback address, or pass --allow-public-bind if you mean it',
      );
}

function refused(reason: string, advice: string): BindVerdict {
  return { kind: 'refused', reason, advice };
}
