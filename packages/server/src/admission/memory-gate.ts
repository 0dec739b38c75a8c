/**
 * Bytes that a node holds for its connections: unfinished frames, requests in flight, and answers not yet taken.
 *
 * Between the soft and the hard limit, a connection stops reading if it has a request in flight (it will free bytes)
 * or has hardly begun its next frame. One in the middle of a large frame goes on, since only the end of the frame
 * frees its bytes: so there is always someone who makes progress. Bound: the hard limit, plus one chunk.
 */

/** A connection that holds no more than this may wait without keeping others from going on. */
const SMALL_BYTES = 64 * 1024;

export type ReadingAdvice = 'read' | 'pause' | 'close';

/** One connection's share. */
export interface MemoryAccount {
  /** Says what the connection holds now, and gets told whether it may bring more. */
  update(heldBytes: number, isBusy: boolean): ReadingAdvice;
  /** Gives everything back. Idempotent. */
  close(): void;
}

export interface MemoryGateOptions {
  readonly softBytes: number;
  readonly hardBytes: number;
}

export class MemoryGate {
  readonly #softBytes: number;
  readonly #hardBytes: number;
  /** Resumers of paused connections, in the order in which they paused. */
  readonly #waiting = new Set<() => void>();
  #heldBytes = 0;

  constructor({ softBytes, hardBytes }: MemoryGateOptions) {
    this.#softBytes = softBytes;
    this.#hardBytes = hardBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @param resume - Called once after each `pause`, when there is room again; it must call `update`. */
  open(resume: () => void): MemoryAccount {
    let held = 0;
    let isClosed = false;
    const hold = (bytes: number): void => {
      const grown = bytes - held;
      this.#heldBytes += grown;
      held = bytes;
      if (grown < 0) this.#wake();
    };
    return {
      update: (heldBytes, isBusy) => {
        if (isClosed) return 'close';
        this.#waiting.delete(resume);
        const mayGrow = heldBytes <= held || this.#heldBytes - held + heldBytes <= this.#hardBytes;
        hold(heldBytes);
        if (!mayGrow) return 'close';
        if (this.#heldBytes < this.#softBytes || (!isBusy && heldBytes > SMALL_BYTES)) {
          return 'read';
        }
        this.#waiting.add(resume);
        return 'pause';
      },
      close: () => {
        if (isClosed) return;
        isClosed = true;
        this.#waiting.delete(resume);
        hold(0);
      },
    };
  }

  #wake(): void {
    for (const resume of this.#waiting) {
      if (this.#heldBytes >= this.#softBytes) return;
      this.#waiting.delete(resume);
      resume();
    }
  }
}
