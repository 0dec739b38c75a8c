/**
 * The snapshot that somebody has brought from a leader, and waits to hear what becomes of: its files may go, or have to stay, accordingly.
 *
 * Invariant: each ends exactly once. Bound: one at a time.
 */

import type { SnapshotRequest } from '../core/message.ts';
import type { Snapshot } from '../core/types.ts';
import type { RaftError } from '../errors.ts';

/**
 * - `installed`: it has taken the place of the state machine.
 * - `not-needed`: the node goes on without it: it has what the snapshot stands for, or the sender does not lead any more.
 * - `no-room`: the node could not look at it now. It may be given again.
 */
export type InstallOutcome = 'installed' | 'not-needed' | 'no-room';

interface Install {
  readonly snapshot: Snapshot;
  /** The core was told. */
  isStepped: boolean;
  /** The core has taken it, and it is on its way into the storage. */
  isTaken: boolean;
  readonly resolve: (outcome: InstallOutcome) => void;
  readonly reject: (error: RaftError) => void;
}

export class Installs {
  #install: Install | undefined;

  get isPending(): boolean {
    return this.#install !== undefined;
  }

  /** Requires: none is pending. @returns What became of it. @throws What `endAll` is given. */
  add({ snapshot }: SnapshotRequest): Promise<InstallOutcome> {
    return new Promise((resolve, reject) => {
      this.#install = { snapshot, isStepped: false, isTaken: false, resolve, reject };
    });
  }

  /** The core was told of it. */
  stepped(): void {
    if (this.#install !== undefined) this.#install.isStepped = true;
  }

  /** The core was not told of it, and will not be. */
  turnedAway(outcome: Exclude<InstallOutcome, 'installed'>): void {
    this.#end(outcome);
  }

  /** The core has handed `snapshot` to the storage. */
  taken(snapshot: Snapshot): void {
    if (this.#install?.snapshot === snapshot) this.#install.isTaken = true;
  }

  /** Everything that follows from what the core was told has been handed out. */
  turnEnded(): void {
    const install = this.#install;
    if (install?.isStepped === true && !install.isTaken) this.#end('not-needed');
  }

  /** `snapshot` is in the state machine. */
  installed(snapshot: Snapshot): void {
    if (this.#install?.snapshot === snapshot) this.#end('installed');
  }

  /** The node stops. Of one that was taken nobody can say whether it is durable. */
  endAll(error: RaftError): void {
    const install = this.#install;
    this.#install = undefined;
    install?.reject(error);
  }

  #end(outcome: InstallOutcome): void {
    const install = this.#install;
    this.#install = undefined;
    install?.resolve(outcome);
  }
}
