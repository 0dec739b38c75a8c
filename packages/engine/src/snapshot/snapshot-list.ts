/** The open snapshots, by sequence number: what compaction may not drop. */

import { EngineError } from '../errors.ts';
import type { SequenceNumber } from '../key/internal-key.ts';
import type { Snapshot } from '../types.ts';

export class SnapshotList {
  readonly #open = new Set<OpenSnapshot>();
  readonly #onReleased: (sequence: SequenceNumber) => void;

  /** @param onReleased - Told when nobody reads at `sequence` or before it any more, and somebody did. */
  constructor(onReleased: (sequence: SequenceNumber) => void) {
    this.#onReleased = onReleased;
  }

  get size(): number {
    return this.#open.size;
  }

  take(sequence: SequenceNumber): Snapshot {
    const snapshot = new OpenSnapshot(sequence, (closed) => {
      if (this.#open.delete(closed) && this.#isBeforeAll(closed)) this.#onReleased(closed.sequence);
    });
    this.#open.add(snapshot);
    return snapshot;
  }

  /** The sequence number to read at. @throws EngineError KAYA_SNAPSHOT_CLOSED; TypeError for a foreign one. */
  sequenceOf(snapshot: Snapshot): SequenceNumber {
    if (!(snapshot instanceof OpenSnapshot)) throw new TypeError('snapshot: not made by engine.snapshot()');
    if (!this.#open.has(snapshot)) {
      throw new EngineError(
        'KAYA_SNAPSHOT_CLOSED',
        'the snapshot is closed or belongs to another store; take a new one',
      );
    }
    return snapshot.sequence;
  }

  /** Ascending, each once. */
  sequences(): readonly SequenceNumber[] {
    return [...new Set([...this.#open].map(({ sequence }) => sequence))].toSorted((a, b) => a - b);
  }

  closeAll(): void {
    for (const snapshot of this.#open) snapshot.close();
  }

  #isBeforeAll({ sequence }: OpenSnapshot): boolean {
    for (const other of this.#open) if (other.sequence <= sequence) return false;
    return true;
  }
}

class OpenSnapshot implements Snapshot {
  readonly sequence: SequenceNumber;
  readonly #onClose: (snapshot: OpenSnapshot) => void;

  constructor(sequence: SequenceNumber, onClose: (snapshot: OpenSnapshot) => void) {
    this.sequence = sequence;
    this.#onClose = onClose;
  }

  close(): void {
    this.#onClose(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
