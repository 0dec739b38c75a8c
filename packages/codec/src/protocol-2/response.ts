/** The responses of protocol 2 as values. Format: docs/format/wire-2.md, "Responses". */

import type { RequestKind2 } from './request.ts';
import type { WriteAnswer } from './write.ts';

/** A key's value and the revision that wrote it. */
export interface Row2 {
  readonly value: Uint8Array;
  readonly revision: number;
}

export interface PageRow {
  readonly key: Uint8Array;
  readonly revision: number;
  /** Empty in a scan without values. */
  readonly value: Uint8Array;
}

export interface Page {
  /** Whose state all pages of the scan show. */
  readonly revision: number;
  /** A page without rows is the last. */
  readonly isLast: boolean;
  readonly isWithoutValues: boolean;
  readonly rows: readonly PageRow[];
}

/** - `not-done`: it was not done and will not be. - `unknown`: it may have been done, or may yet be. */
export type RefusalOutcome = 'not-done' | 'unknown';

export interface Refusal2 {
  readonly kind: 'refused';
  /** A code of docs/reference/errors.md. */
  readonly code: string;
  readonly outcome: RefusalOutcome;
  readonly message: string;
  /** Where clients reach the leader; undefined when it is not known, or has nothing to do with it. */
  readonly leaderAddress: string | undefined;
}

/** In the order of their numbers on the wire. */
export const HEALTH_ROLES = ['follower', 'leader', 'learner', 'candidate'] as const;

export type OkResponse2 =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'health';
      readonly role: (typeof HEALTH_ROLES)[number];
      readonly leaderAddress: string | undefined;
    }
  | { readonly kind: 'row'; readonly row: Row2 | undefined }
  | { readonly kind: 'rows'; readonly rows: readonly (Row2 | undefined)[] }
  | { readonly kind: 'written'; readonly answer: WriteAnswer }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'session'; readonly session: number; readonly expiryMs: number }
  | { readonly kind: 'text'; readonly text: string };

export type Response2 = OkResponse2 | Refusal2;

/** Which shape status 0 has, by the request it answers. */
export const OK_RESPONSE_KIND_2 = {
  auth: 'done',
  cancel: 'done',
  health: 'health',
  get: 'row',
  'get-many': 'rows',
  write: 'written',
  scan: 'page',
  more: 'page',
  'end-scan': 'done',
  'open-session': 'session',
  'touch-session': 'done',
  'close-session': 'done',
  status: 'text',
  members: 'text',
  'add-member': 'text',
  'promote-member': 'text',
  'remove-member': 'text',
  'transfer-leader': 'text',
} as const satisfies Record<RequestKind2, OkResponse2['kind']>;
