/** A queue whose ends are cheap: what was taken is cut off the array in large pieces. */

const CUT_COUNT = 1024;

export class Fifo<Item> {
  #items: Item[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** The oldest, `undefined` when there is none. */
  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  take(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#head++;
    if (this.#head === this.#items.length) this.takeAll();
    else if (this.#head >= CUT_COUNT && this.#head * 2 > this.#items.length) this.#cut();
    return item;
  }

  takeAll(): readonly Item[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }

  /** From the oldest on. */
  *[Symbol.iterator](): IterableIterator<Item> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at]!;
  }

  #cut(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
