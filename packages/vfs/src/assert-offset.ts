/**
 * Refuses a position that is no byte offset before it reaches the operating system.
 *
 * node:fs takes a negative or missing position for "where the last call ended" and a negative size for 0, which
 * would turn a programming error into damage.
 *
 * @throws RangeError
 */
export function assertOffset(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${name} must be a whole number of bytes, 0 or more; got ${value}`);
}
