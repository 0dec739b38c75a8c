/** What a command came to: the same on every node. */

import type { WriteAnswer } from '@kayadb/codec';

/**
 * Why nothing was done:
 * - `expired`: there is no such session.
 * - `stale`: the answer of that serial was heard already, as the session says.
 * - `far`: the serial is `SESSION_WINDOW` or more above the first that is not settled.
 * - `level`: a member's program does not know the level.
 * - `other-directory`: the group knows the member with another directory.
 * - `removed`: the member was removed with that directory.
 */
export type CommandRefusal = 'expired' | 'stale' | 'far' | 'level' | 'other-directory' | 'removed';

export type CommandResult =
  | { readonly kind: 'written'; readonly answer: WriteAnswer }
  | { readonly kind: 'session-opened'; readonly session: number; readonly expiryMs: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly refusal: CommandRefusal };

export const DONE: CommandResult = { kind: 'done' };

export function refused(refusal: CommandRefusal): CommandResult {
  return { kind: 'refused', refusal };
}
