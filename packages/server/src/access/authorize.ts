/**
 * The one decision who may do what. Every leaf operation calls `authorize` itself; no outer layer does it for it.
 * Today it knows the client and the operator token; roles and key ranges will join as further arguments.
 */

import type { Credential } from '@kayadb/codec';

import { AccessDeniedError, type CredentialKind } from '../server-error.ts';
import { TokenDigest } from './token-digest.ts';

export type OperationKind =
  | 'hello'
  | 'health'
  | 'get'
  | 'put'
  | 'delete'
  | 'delete-range'
  | 'scan'
  | 'open-session'
  | 'touch-session'
  | 'close-session'
  | 'stats'
  | 'status'
  | 'members'
  | 'add-member'
  | 'promote-member'
  | 'remove-member'
  | 'transfer-leader';

/** Which credential each operation needs, if its token is configured. */
const REQUIRED: Readonly<Record<OperationKind, CredentialKind | 'none'>> = {
  hello: 'none',
  health: 'none',
  get: 'client',
  put: 'client',
  delete: 'client',
  'delete-range': 'client',
  scan: 'client',
  'open-session': 'client',
  'touch-session': 'client',
  'close-session': 'client',
  stats: 'client',
  status: 'client',
  members: 'client',
  'add-member': 'operator',
  'promote-member': 'operator',
  'remove-member': 'operator',
  'transfer-leader': 'operator',
};

/** `open`: no token is configured for it, so anyone has it. */
export type Standing = 'open' | 'valid' | 'missing' | 'wrong';

/** Who sends a request, as far as its credential proves it. */
export interface Identity {
  readonly client: Standing;
  readonly operator: Standing;
}

/** @throws AccessDeniedError unless `identity` has the credential that `operation` needs. */
export function authorize(identity: Identity, operation: OperationKind): void {
  const required = REQUIRED[operation];
  if (required === 'none') return;
  const standing = identity[required];
  if (standing === 'missing' || standing === 'wrong') throw new AccessDeniedError(required, standing);
}

export interface TokenOptions {
  readonly clientToken?: string | undefined;
  readonly operatorToken?: string | undefined;
}

/** Turns credentials into identities. Holds digests, never the tokens. */
export class Identifier {
  readonly #client: TokenDigest | undefined;
  readonly #operator: TokenDigest | undefined;

  /** @throws RangeError for an empty token. */
  constructor({ clientToken, operatorToken }: TokenOptions) {
    this.#client = clientToken === undefined ? undefined : new TokenDigest(clientToken);
    this.#operator = operatorToken === undefined ? undefined : new TokenDigest(operatorToken);
  }

  get needsClientToken(): boolean {
    return this.#client !== undefined;
  }

  identify(credential: Credential | undefined): Identity {
    return {
      client: judge(this.#client, credential?.kind === 'client' ? credential : undefined),
      operator: judge(this.#operator, credential?.kind === 'operator' ? credential : undefined),
    };
  }
}

function judge(expected: TokenDigest | undefined, credential: Credential | undefined): Standing {
  if (expected === undefined) return 'open';
  if (credential === undefined) return 'missing';
  return expected.matches(credential.token) ? 'valid' : 'wrong';
}
