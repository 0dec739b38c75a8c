/** What happens inside a client between its calls, for logs and counters. Version 1 says nothing. */

export type ClientEvent =
  /** A connection agreed on version 2, and was let in. */
  | { readonly kind: 'connection-up'; readonly endpoint: string }
  /** A connection that was up, or was to be, is over. */
  | { readonly kind: 'connection-down'; readonly endpoint: string; readonly cause: unknown }
  /** Another node leads than was thought; undefined: it is not known any more. */
  | { readonly kind: 'leader-changed'; readonly leader: string | undefined }
  /** A request is said again, `delayMs` from now. */
  | { readonly kind: 'retry'; readonly request: string; readonly delayMs: number; readonly cause: Error }
  | { readonly kind: 'session-opened'; readonly session: number; readonly expiryMs: number }
  | { readonly kind: 'session-expired'; readonly session: number };
