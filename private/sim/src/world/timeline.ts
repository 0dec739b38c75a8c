/**
 * The one order of everything that happens: a virtual clock whose times are multiples of 1/1024 ms, so that sums and differences are exact and no
 * timer ever falls a hair short of its time.
 *
 * Invariant: events happen in the order of their times, and those of one time in the order in which they were asked for.
 */

const STEPS_PER_MS = 1024;
/** Events between two times that the rest of the real process gets a turn. */
const EVENTS_PER_TURN = 256;

/** One event to come. */
export class TimelineEvent {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined;

  constructor(at: number, order: number, callback: () => void) {
    this.at = at;
    this.order = order;
    this.callback = callback;
  }

  /** Idempotent; an event that has happened is unaffected. */
  cancel(): void {
    this.callback = undefined;
  }
}

export class Timeline {
  /** Binary heap, the next event first. */
  readonly #heap: TimelineEvent[] = [];
  #now = 0;
  #order = 0;
  #sinceTurn = 0;

  get nowMs(): number {
    return this.#now / STEPS_PER_MS;
  }

  /** Runs `callback` in `delayMs`, at least one step from now: nothing happens within the event that caused it. */
  after(delayMs: number, callback: () => void): TimelineEvent {
    const steps = Math.max(1, Math.round(delayMs * STEPS_PER_MS));
    const event = new TimelineEvent(this.#now + steps, this.#order++, callback);
    this.#push(event);
    return event;
  }

  /** Goes on to the next event, and lets everything happen that it leads to without time passing. */
  async step(): Promise<void> {
    let event = this.#pop();
    while (event?.callback === undefined) {
      if (event === undefined) throw new RangeError('nothing will ever happen again');
      event = this.#pop();
    }
    this.#now = event.at;
    event.callback();
    await settle();
    if (++this.#sinceTurn < EVENTS_PER_TURN) return;
    this.#sinceTurn = 0;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  #push(event: TimelineEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = heap[parent]!;
      if (!isBefore(event, other)) break;
      heap[at] = other;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): TimelineEvent | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: TimelineEvent, b: TimelineEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/**
 * Resolves when every promise reaction that was ready, and every one those made ready, has run: Node.js goes on to what `nextTick` was given only when
 * none is left. Nothing in a simulation waits for anything but promises.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
