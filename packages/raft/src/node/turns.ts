/**
 * When a loop has its turns: soon after there is something to do, and never one within another. A turn that leaves work undone goes on when timers and sockets
 * have had theirs.
 */

export interface TurnsHost {
  /** Must not throw. @returns Whether there is more to do at once. */
  turn(): boolean;
  /** Lets timers and sockets have a turn. */
  yieldTurn(): Promise<void>;
}

export class Turns {
  readonly #host: TurnsHost;
  #isScheduled = false;
  #isEnded = false;

  constructor(host: TurnsHost) {
    this.#host = host;
  }

  /** There is something for a turn to do. */
  schedule(): void {
    if (this.#isScheduled || this.#isEnded) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#run());
  }

  /** There are no more turns. */
  end(): void {
    this.#isEnded = true;
  }

  #run(): void {
    this.#isScheduled = false;
    if (this.#isEnded || !this.#host.turn() || this.#isScheduled) return;
    this.#isScheduled = true;
    void this.#runLater();
  }

  async #runLater(): Promise<void> {
    try {
      await this.#host.yieldTurn();
    } catch {
      // The turn is due all the same.
    }
    this.#run();
  }
}
