/** One request on one connection, from its place in the queue to its outcome; the same in both versions of the protocol. */

export type ExchangeOutcome<Answer> =
  | { readonly kind: 'answered'; readonly response: Answer }
  /** The connection failed before the request was sent. */
  | { readonly kind: 'unsent'; readonly cause: unknown }
  /** The connection failed after the request was sent. */
  | { readonly kind: 'lost'; readonly cause: unknown }
  /** The answer makes no sense. */
  | { readonly kind: 'malformed'; readonly cause: unknown }
  /** Nobody waits any more: `abandon` was called. */
  | { readonly kind: 'abandoned'; readonly wasSent: boolean };

export class Exchange<Kind, Answer> {
  readonly kind: Kind;
  readonly frame: Uint8Array;
  /** Resolves once; never rejects. */
  readonly outcome: Promise<ExchangeOutcome<Answer>>;
  readonly #onAbandoned: (exchange: Exchange<Kind, Answer>) => void;
  #resolve: (outcome: ExchangeOutcome<Answer>) => void = () => {};
  #isSettled = false;
  #wasSent = false;

  constructor(kind: Kind, frame: Uint8Array, onAbandoned: (exchange: Exchange<Kind, Answer>) => void) {
    this.kind = kind;
    this.frame = frame;
    this.#onAbandoned = onAbandoned;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get wasSent(): boolean {
    return this.#wasSent;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  markSent(): void {
    this.#wasSent = true;
  }

  settle(outcome: ExchangeOutcome<Answer>): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve(outcome);
  }

  /** The connection died under it. */
  fail(cause: unknown): void {
    this.settle({ kind: this.#wasSent ? 'lost' : 'unsent', cause });
  }

  /** Stops waiting. A request that was sent keeps its place or its id, because its answer will still come. */
  abandon(): void {
    if (this.#isSettled) return;
    this.settle({ kind: 'abandoned', wasSent: this.#wasSent });
    this.#onAbandoned(this);
  }
}
