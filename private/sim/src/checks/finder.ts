/**
 * Which check a break is found by.
 *
 * - `leaders`, `logs`, `commits`, `applies`, `order`, `clients`: see Checks.
 * - `disk`: what was promised to be durable is not there after a crash.
 * - `assertion`: a node's own, or an error in its program. `failure`: a node stopped, and no fault of its disk explains it.
 * - `recovery`: nobody leads, nothing is taken, or replicas differ, after a quorum was healed.
 *
 * Of whole servers alone:
 * - `history`: what clients asked and were told is not linearizable, or something was done twice.
 * - `sessions`: a session ended that should not have, or a write was told to be heard that was not.
 * - `reads`: a scan, or a read that may be old, showed what it should not.
 * - `fences`: a directory came in that the group does not know.
 * - `rows`: two nodes that have applied the same do not have the same rows.
 */
export type Finder =
  | 'applies'
  | 'assertion'
  | 'clients'
  | 'commits'
  | 'disk'
  | 'failure'
  | 'fences'
  | 'history'
  | 'leaders'
  | 'logs'
  | 'order'
  | 'reads'
  | 'recovery'
  | 'rows'
  | 'sessions';

/** The first thing that must not be. */
export interface Violation {
  readonly finder: Finder;
  /** In one sentence. */
  readonly what: string;
}
