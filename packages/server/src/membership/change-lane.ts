/**
 * Changes of the group go one at a time: one that somebody has asked for, or one duty of the leader. Whoever asks while another change is under way is
 * told so at once; a duty is over soon, and is waited for.
 */

import { ReplicaError } from '../replica/replica-error.ts';

export class ChangeLane {
  #isChanging = false;
  #duty: Promise<void> | undefined;

  get isFree(): boolean {
    return !this.#isChanging && this.#duty === undefined;
  }

  /** @throws ReplicaError KAYA_OVERLOADED while there is another. @throws What `task` throws. */
  async change<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#isChanging) throw changeUnderWay();
    this.#isChanging = true;
    try {
      await this.#duty;
      return await task();
    } finally {
      this.#isChanging = false;
    }
  }

  /** Requires: it is free. `task` does not reject. */
  begin(task: () => Promise<void>): void {
    this.#duty = task().finally(() => {
      this.#duty = undefined;
    });
  }
}

export function changeUnderWay(): ReplicaError {
  return new ReplicaError('KAYA_OVERLOADED', 'another change of the group is under way; try again when it has ended');
}
