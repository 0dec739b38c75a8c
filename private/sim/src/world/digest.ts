/** A hash of what happened, cheap enough to be taken of everything: 64 bits in two halves. It tells runs apart; it keeps no secrets. */

const UNITS = 2 ** 32;

export class Digest {
  #low = 0x811c9dc5;
  #high = 0x9747b28c;

  /** @param value - An integer, of up to 53 bits. */
  number(value: number): void {
    this.#mix(value | 0);
    this.#mix(Math.floor(value / UNITS));
  }

  text(text: string): void {
    this.#mix(text.length);
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
  }

  hex(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    const mixed = Math.imul(this.#high ^ value ^ (this.#low >>> 15), 0x85ebca6b);
    this.#high = mixed ^ (mixed >>> 13);
  }
}
