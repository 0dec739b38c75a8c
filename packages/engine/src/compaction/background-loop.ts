/** Repeats a step until it finds nothing to do, and again if it was kicked meanwhile. Never more than one at a time. */

export class BackgroundLoop {
  readonly #step: () => Promise<boolean>;
  #running: Promise<void> | undefined;
  #kicked = false;

  /** @param step - Does one piece of work; false when there is none. Must not reject. */
  constructor(step: () => Promise<boolean>) {
    this.#step = step;
  }

  /** Looks for work now, or once more after the step under way: a kick is never lost. */
  kick(): void {
    this.#kicked = true;
    this.#running ??= this.#run();
  }

  /** Resolves when the loop has come to rest. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#kicked) {
      this.#kicked = false;
      while (await this.#step());
    }
    this.#running = undefined;
  }
}
