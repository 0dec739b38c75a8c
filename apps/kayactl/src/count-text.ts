/** Numbers of things, for people. */

/** As in `1 table`, `3 tables`. */
export function countText(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
