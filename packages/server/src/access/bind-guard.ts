/**
 * Keeps a node from being exposed by accident: says whether it may listen on an address, and if not, what to do.
 * Pure. docs/reference/server.md, "Where it may listen".
 */

import { type AddressScope, classifyAddress } from './ip-address.ts';

export interface BindRequest {
  /** Numeric address without port or brackets. */
  readonly host: string;
  /** Name of the flag the address came from, for the sentence. */
  readonly flag: string;
  readonly allowPublicBind: boolean;
  readonly insecure: boolean;
  readonly hasClientToken: boolean;
}

/**
 * `isExposed`: machines other than this one can reach the address.
 * `isOpen`: and whoever does can read and write everything, because no client token is configured.
 */
export type BindVerdict =
  | { readonly kind: 'allowed'; readonly isExposed: boolean; readonly isOpen: boolean }
  | { readonly kind: 'refused'; readonly reason: string; readonly advice: string };

export function checkBind(request: BindRequest): BindVerdict {
  const { host, flag } = request;
  const scope = classifyAddress(host);
  if (scope === undefined) {
    return refused(
      `${flag} ${host}: not a numeric IP address`,
      'use an address such as 127.0.0.1 or [::1]; names are not looked up',
    );
  }
  if (scope === 'loopback') return { kind: 'allowed', isExposed: false, isOpen: false };
  if (isAllowed(scope, request)) return { kind: 'allowed', isExposed: true, isOpen: !request.hasClientToken };
  return refusals[scope](`${flag} ${host}`);
}

function isAllowed(scope: AddressScope, request: BindRequest): boolean {
  if (request.allowPublicBind) return true;
  return scope === 'private' && (request.hasClientToken || request.insecure);
}

const refusals: Readonly<Record<Exclude<AddressScope, 'loopback'>, (what: string) => BindVerdict>> = {
  wildcard: (what) =>
    refused(
      `${what} would listen on every network of this machine`,
      'name one address of a private network, or pass --allow-public-bind if you mean it',
    ),
  public: (what) =>
    refused(
      `${what} is a public address, and anyone could connect to it`,
      'listen on a private or loopback address, or pass --allow-public-bind if you mean it',
    ),
  private: (what) =>
    refused(
      `${what} can be reached from other machines, and no client token is configured`,
      'pass --client-token-file FILE, or --insecure to let every machine on that network read and write',
    ),
};

function refused(reason: string, advice: string): BindVerdict {
  return { kind: 'refused', reason, advice };
}
