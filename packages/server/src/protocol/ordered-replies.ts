/** Answers leave in the order of their requests, whatever the order in which they become ready. */

interface Slot {
  bytes: Uint8Array | undefined;
}

export class OrderedReplies {
  readonly #slots: Slot[] = [];
  readonly #send: (bytes: Uint8Array) => void;
  #waitingBytes = 0;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** Requests whose answer has not been sent. */
  get count(): number {
    return this.#slots.length;
  }

  /** Bytes of answers that wait for an earlier one. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Takes the next place in the order. @returns What to call, once, with the encoded answer. */
  reserve(): (bytes: Uint8Array) => void {
    const slot: Slot = { bytes: undefined };
    this.#slots.push(slot);
    return (bytes) => {
      slot.bytes = bytes;
      this.#waitingBytes += bytes.length;
      this.#flush();
    };
  }

  #flush(): void {
    for (let bytes = this.#slots[0]?.bytes; bytes !== undefined; bytes = this.#slots[0]?.bytes) {
      this.#slots.shift();
      this.#waitingBytes -= bytes.length;
      this.#send(bytes);
    }
  }
}
