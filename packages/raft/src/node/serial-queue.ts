/** Runs jobs one after the other, in the order in which they came. */

export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** A job that fails does not keep later ones from running. */
  run<Value>(job: () => Promise<Value>): Promise<Value> {
    const mine = this.#last.then(job);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
