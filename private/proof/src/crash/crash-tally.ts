/** What a proof of crashes has opened and found, as numbers. */

import type { Figures } from '../report.ts';

export type CrashFailure =
  | 'acknowledged writes lost'
  | 'half or foreign states'
  | 'refusals to open'
  | 'other failures';

export class CrashTally {
  /** Disks unlike each other within a run, opened and compared. */
  opened = 0;
  /** Disks that had been opened before: compared again, with what was owed at another moment. */
  alike = 0;
  /** Of `opened`, by how many crashes there were before: index 0 is one crash. */
  readonly openedAtDepth: number[] = [0, 0, 0];
  readonly openedByMode = new Map<string, number>();
  /** Changes of the disk of the recorded workloads, after each of which the power went. */
  mutations = 0;
  operations = 0;
  /** Promises looked at: for every comparison, the writes that had to be there. */
  writesChecked = 0;
  checkpointsOpened = 0;
  checkpointsMissed = 0;
  verified = 0;
  writtenAndReopened = 0;
  readonly failures: Record<CrashFailure, number> = {
    'acknowledged writes lost': 0,
    'half or foreign states': 0,
    'refusals to open': 0,
    'other failures': 0,
  };

  countOpened(mode: string, depth: number): void {
    this.opened++;
    this.openedAtDepth[depth]!++;
    this.openedByMode.set(mode, (this.openedByMode.get(mode) ?? 0) + 1);
  }

  figures(): Figures {
    const [, second = 0, third = 0] = this.openedAtDepth;
    return {
      'states opened': this.opened,
      'states seen again and compared again': this.alike,
      operations: this.operations,
      'changes of the disk': this.mutations,
      'crashes during recovery': second + third,
      'crashes during the recovery from that': third,
      'acknowledged writes looked for': this.writesChecked,
      'checkpoints opened': this.checkpointsOpened,
      'stores verified': this.verified,
      'stores written to and reopened': this.writtenAndReopened,
      ...this.failures,
      ...Object.fromEntries(
        [...this.openedByMode.keys()].toSorted().map((mode) => [`mode ${mode}`, this.openedByMode.get(mode)!]),
      ),
    };
  }
}
