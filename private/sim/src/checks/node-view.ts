/** One process as the checks see it after each event in which it did something. */

import type { Configuration, NodeId, StatusSummary } from '@kayadb/raft';

import type { WatchedStorage } from '../node/watched-storage.ts';

export interface NodeView {
  readonly id: NodeId;
  /** Counts processes, so that what a process has never shown again is told from what a restart forgets. */
  readonly life: number;
  readonly status: StatusSummary;
  readonly storage: WatchedStorage;
  /** Of the state machine. */
  readonly appliedIndex: number;
  readonly durableIndex: number;
  /** When it was seen last, in this life. */
  readonly configurationBefore: Configuration;
}

/** Told what must not be. */
export type Fail = (what: string) => void;
