/** What a group agrees on, as values. Format: docs/format/state-machine.md, "Commands". */

import type { Write } from '@kayadb/codec';

/** A member of the group, as all members know it. */
export interface Member {
  readonly node: number;
  /** 0 when it is not known. */
  readonly incarnation: number;
  /** The highest feature level that its program knows. */
  readonly level: number;
  /** A learner that is to vote as soon as it has caught up. */
  readonly isToBePromoted: boolean;
  readonly peerAddress: string;
  readonly clientAddress: string;
}

/** A field of a later program, which has no effect here. */
export interface UnknownField {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

export type CommandBody =
  | { readonly kind: 'write'; readonly write: Write }
  | { readonly kind: 'open-session'; readonly expiryMs: number }
  | { readonly kind: 'close-session'; readonly session: number }
  | { readonly kind: 'put-member'; readonly member: Member }
  | { readonly kind: 'drop-member'; readonly node: number }
  | { readonly kind: 'raise-level'; readonly level: number }
  /** Time goes on, and a session with it, if there is one. */
  | { readonly kind: 'touch'; readonly session?: number | undefined };

export type CommandKind = CommandBody['kind'];

export type Command = CommandBody & {
  /** Milliseconds since 1970, by the clock of the leader that proposed it. */
  readonly timeMs: number;
  /** Passed on as they are; tags above 127, ascending. */
  readonly unknown?: readonly UnknownField[] | undefined;
};
