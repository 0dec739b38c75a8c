/**
 * Frames that wait for a connection, in two classes, each bounded by count and bytes.
 *
 * When there is no room, a normal frame is refused: those in front of it are still good for the receiver, and one behind a gap would be
 * refused there anyway. Of the urgent ones the oldest goes: a newer heartbeat or vote says all that an older one said.
 */

export type FramePriority = 'urgent' | 'normal';

export interface FrameQueueLimits {
  readonly maxFrames: number;
  readonly maxBytes: number;
  readonly maxUrgentFrames: number;
  readonly maxUrgentBytes: number;
}

export class FrameQueue {
  readonly #limits: FrameQueueLimits;
  readonly #urgent = new Lane();
  readonly #normal = new Lane();
  #droppedFrames = 0;

  constructor(limits: FrameQueueLimits) {
    this.#limits = limits;
  }

  get frames(): number {
    return this.#urgent.frames + this.#normal.frames;
  }

  get bytes(): number {
    return this.#urgent.bytes + this.#normal.bytes;
  }

  /** Refused or pushed out, of both classes; only grows. */
  get droppedFrames(): number {
    return this.#droppedFrames;
  }

  /** Keeps `frame`. One alone is always taken. @returns Whether it waits now. */
  push(frame: Uint8Array, priority: FramePriority): boolean {
    const { maxFrames, maxBytes, maxUrgentFrames, maxUrgentBytes } = this.#limits;
    if (priority === 'urgent') {
      this.#urgent.push(frame);
      while (this.#urgent.frames > 1 && this.#urgent.isOver(maxUrgentFrames, maxUrgentBytes)) {
        this.#urgent.take();
        this.#droppedFrames++;
      }
      return true;
    }
    const { frames, bytes } = this.#normal;
    if (frames > 0 && (frames >= maxFrames || bytes + frame.length > maxBytes)) return this.refuse();
    this.#normal.push(frame);
    return true;
  }

  /** Counts a frame that was not even offered a place. */
  refuse(): false {
    this.#droppedFrames++;
    return false;
  }

  /** The oldest urgent frame, then the oldest normal one. */
  take(): Uint8Array | undefined {
    return this.#urgent.take() ?? this.#normal.take();
  }

  clear(): void {
    this.#droppedFrames += this.frames;
    this.#urgent.clear();
    this.#normal.clear();
  }
}

/** A queue with its bytes counted; what was taken is cut off in large pieces. */
class Lane {
  #frames: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;

  get frames(): number {
    return this.#frames.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  isOver(maxFrames: number, maxBytes: number): boolean {
    return this.frames > maxFrames || this.#bytes > maxBytes;
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  take(): Uint8Array | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#bytes -= frame.length;
    this.#head++;
    if (this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }

  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
