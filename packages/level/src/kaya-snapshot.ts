/** An explicit snapshot: the engine's, held open for as long as abstract-level says that it is in use. */

import type { Snapshot } from '@kayadb/engine';
import { AbstractSnapshot } from 'abstract-level';

/** abstract-level's types leave out the constructor that implementations call. */
const SnapshotBase = AbstractSnapshot as unknown as new (options: SnapshotOptions) => AbstractSnapshot;

export interface SnapshotOptions {
  /** The database or sublevel that closes the snapshot when it closes itself. */
  readonly owner: object;
}

export class KayaSnapshot extends SnapshotBase {
  readonly inner: Snapshot;

  constructor(inner: Snapshot, options: SnapshotOptions) {
    super(options);
    this.inner = inner;
  }

  async _close(): Promise<void> {
    this.inner.close();
  }
}
