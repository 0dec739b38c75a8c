/**
 * Which check a break is found by.
 *
 * - `leaders`, `logs`, `commits`, `applies`, `order`, `clients`: see Checks.
 * - `disk`: what was promised to be durable is not there after a crash.
 * - `assertion`: a node's own, or an error in its program. `failure`: a node stopped, and no fault of its disk explains it.
 * - `recovery`: nobody leads, nothing is taken, or replicas differ, after a quorum was healed.
 */
export type Finder =
  | 'applies'
  | 'assertion'
  | 'clients'
  | 'commits'
  | 'disk'
  | 'failure'
  | 'leaders'
  | 'logs'
  | 'order'
  | 'recovery';

/** The first thing that must not be. */
export interface Violation {
  readonly finder: Finder;
  /** In one sentence. */
  readonly what: string;
}
