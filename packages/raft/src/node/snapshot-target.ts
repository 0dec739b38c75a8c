/** Where the files of a snapshot go to: the state machine's side of receiving one. */

import type { Snapshot } from '../core/types.ts';
import type { SnapshotFile } from '../wire/transfer-message.ts';

export interface SnapshotTarget {
  /**
   * The files of `snapshot` have arrived. They are verified and durable in `directory`, and stay there until `StateMachine.restore` has resolved for it, or `abandon` is called; but for
   * a crash in between, after which `SnapshotReceiver.reclaim` finds them again. What may fail for the want of room is best done here: a `restore` that fails stops the node.
   * Nothing may come into force before `restore` is called: the log may go on without the snapshot.
   *
   * @throws When the state machine cannot take it. Then the snapshot is refused, and sent again later.
   */
  adopt(snapshot: Snapshot, directory: string, files: readonly SnapshotFile[]): Promise<void>;
  /** `snapshot` was adopted, and the node goes on without it. A crash may come in its place: what a start finds of a snapshot that the log's storage does not have, is of no use. */
  abandon(snapshot: Snapshot): Promise<void>;
}
