/** Which snapshots somebody still works with, so that what they refer to stays. Format: docs/format/raft-snapshot.md, "Pins". */

import type { Snapshot } from '../core/types.ts';

export interface SnapshotPin {
  readonly snapshot: Snapshot;
  /** Idempotent. */
  release(): void;
}

export class SnapshotPins {
  readonly #pins = new Set<SnapshotPin>();
  #newest: Snapshot | undefined;

  /** The newest, which is always in use. */
  get newest(): Snapshot | undefined {
    return this.#newest;
  }

  replace(snapshot: Snapshot | undefined): void {
    this.#newest = snapshot;
  }

  /** Keeps the newest in use until it is released, whatever replaces it. @returns undefined when there is none. */
  pin(): SnapshotPin | undefined {
    if (this.#newest === undefined) return undefined;
    const pin: SnapshotPin = { snapshot: this.#newest, release: () => void this.#pins.delete(pin) };
    this.#pins.add(pin);
    return pin;
  }

  /** Snapshots in use, each once, the oldest first. Nothing that one of them refers to may be removed. */
  get inUse(): readonly Snapshot[] {
    const all = new Set([...this.#pins].map(({ snapshot }) => snapshot));
    if (this.#newest !== undefined) all.add(this.#newest);
    return [...all].toSorted((a, b) => a.meta.index - b.meta.index);
  }
}
