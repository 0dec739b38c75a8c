/** What the core has for its host to do. The order in which a host does it is the contract of docs/internals/raft.md, "The host's loop". */

import type { Message } from './message.ts';
import type { Entry, HardState, LogIndex, NodeId, Snapshot } from './types.ts';

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** Of interest to a host, and not to be remembered. */
export interface SoftState {
  readonly leader: NodeId;
  readonly role: Role;
}

/** A read that was asked for with `context` may be answered once `index` is applied (thesis section 6.4). */
export interface ReadState {
  readonly index: LogIndex;
  readonly context: Uint8Array;
}

export interface Ready {
  /** When it has changed. */
  readonly softState: SoftState | undefined;
  /** To be made durable, when it has changed. */
  readonly hardState: HardState | undefined;
  readonly readStates: readonly ReadState[];
  /** To be made durable, in the place of everything in the log from the first of them on. */
  readonly entries: readonly Entry[];
  /** To be made durable, and to take the place of log and state machine. */
  readonly snapshot: Snapshot | undefined;
  /** To be applied; durable already, where a promise depends on it. */
  readonly committedEntries: readonly Entry[];
  /**
   * To be sent. Without asynchronous storage writes: after `hardState`, `entries` and `snapshot` are durable. With them: at once, those to the
   * node's own threads included, and the threads send what they are given when their work is done.
   */
  readonly messages: readonly Message[];
  /** Whether `hardState` and `entries` need a sync: a new commit index alone does not. */
  readonly mustSync: boolean;
}
