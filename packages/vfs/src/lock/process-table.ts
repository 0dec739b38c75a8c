/** Who runs where, and whether they still do: what a directory lock must know, and nothing more. Injected. */

/**
 * One process among all processes of all hosts and boots.
 *
 * Empty text and 0 stand for what the platform does not tell.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Differs after each start of the machine. */
  readonly bootId: string;
  /** Differs between containers, whose process numbers mean different processes. */
  readonly pidNamespace: string;
  /** When the process started, in clock ticks since the machine did. Tells a reused pid from its first owner. */
  readonly startTicks: number;
}

/** `unknown`: it cannot be told from here, so it must be taken for alive. */
export type Liveness = 'alive' | 'dead' | 'unknown';

export interface ProcessTable {
  self(): ProcessIdentity;
  isAlive(identity: ProcessIdentity): Liveness;
  /** A text that nobody has had before and nobody will have: letters, digits and dashes. */
  newToken(): string;
}
