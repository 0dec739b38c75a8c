/**
 * So many of something, and no more. Of connections the last ones are kept for operators: one without a slot exists, but is served only what an
 * operator needs; it gets a slot as soon as one is free and it asks for data.
 */
export class Slots {
  readonly #capacity: number;
  #taken = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @returns Whether there was one. Each one taken must be given back once. */
  tryTake(): boolean {
    if (this.#taken >= this.#capacity) return false;
    this.#taken++;
    return true;
  }

  release(): void {
    this.#taken--;
  }
}
