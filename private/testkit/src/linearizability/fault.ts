/** What is wrong with a history, and how it is told. */

import type { Operation } from '../history/operation.ts';

export type FaultKind =
  /** A read, or a compare, is older than what was known when it began. */
  | 'stale-read'
  /** What was acknowledged is not there, and nobody removed it. */
  | 'lost-write'
  /** One write was done more than once. */
  | 'applied-twice'
  /** A value that nobody had written. */
  | 'phantom'
  /** A write that was refused, or whose condition was said not to hold, was done. */
  | 'refused-but-done'
  /** One revision stands for two writes. */
  | 'split-brain'
  /** Revisions go against the order of events. */
  | 'reordered'
  /** A read of several keys shows a part of a write, or of no single state. */
  | 'torn-read'
  /** Conditions were said to hold, or not to, against what they were about. */
  | 'wrong-compare'
  /** None of the above in particular. */
  | 'no-order';

export interface Fault {
  readonly kind: FaultKind;
  /** One sentence that names the operations. */
  readonly sentence: string;
  /** Those that contradict each other. */
  readonly operations: readonly Operation[];
}
