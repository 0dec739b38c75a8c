/** What a proof of crashes has opened and found, as numbers. */

import type { CrashMode } from '@kayadb/vfs/testing';

import type { Figures } from '../report.ts';

export type CrashFailure =
  | 'acknowledged writes lost'
  | 'half or foreign states'
  | 'refusals to open'
  | 'other failures';

const MODES: Readonly<Record<CrashMode['kind'], true>> = {
  everything: true,
  'nothing-unsynced': true,
  'random-sectors': true,
  'torn-last-write': true,
  'last-write-only': true,
  'size-without-data': true,
  'one-file-lost': true,
  'names-without-contents': true,
  'contents-without-names': true,
  'names-lost': true,
  'one-name-lost': true,
  'one-name-kept': true,
  'old-names-kept': true,
  anything: true,
};

export class CrashTally {
  /** Disks unlike each other within a run, opened and compared. */
  opened = 0;
  /** Disks that had been opened before: compared again, with what was owed at another moment. */
  alike = 0;
  /** Of `opened`, by how many crashes there were before: index 0 is one crash. */
  readonly openedAtDepth: number[] = [0, 0, 0];
  readonly openedByMode = new Map<string, number>();
  /** Changes of the disk of the recorded workloads by operation, after each of which the power went. */
  readonly mutations = new Map<string, number>();
  operations = 0;
  /** Promises looked at: for every comparison, the writes that had to be there. */
  writesChecked = 0;
  checkpointsOpened = 0;
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

  countMutations(mutations: ReadonlyMap<string, number>): void {
    for (const [operation, count] of mutations) {
      this.mutations.set(operation, (this.mutations.get(operation) ?? 0) + count);
    }
  }

  /** Modes in which not one disk was opened. */
  get missingModes(): readonly string[] {
    return Object.keys(MODES).filter((mode) => !this.openedByMode.has(mode));
  }

  figures(): Figures {
    const [, second = 0, third = 0] = this.openedAtDepth;
    return {
      'states opened': this.opened,
      'states seen again and compared again': this.alike,
      operations: this.operations,
      'changes of the disk': [...this.mutations.values()].reduce((sum, count) => sum + count, 0),
      'crashes during recovery': second + third,
      'crashes during the recovery from that': third,
      'acknowledged writes looked for': this.writesChecked,
      'checkpoints opened': this.checkpointsOpened,
      'stores verified': this.verified,
      'stores written to and reopened': this.writtenAndReopened,
      ...this.failures,
      ...named('mode', this.openedByMode),
      ...named('after', this.mutations),
    };
  }
}

function named(prefix: string, counts: ReadonlyMap<string, number>): Figures {
  return Object.fromEntries([...counts.keys()].toSorted().map((name) => [`${prefix} ${name}`, counts.get(name)!]));
}
