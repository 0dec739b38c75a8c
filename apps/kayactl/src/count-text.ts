/** Numbers of things, for people. */

/** As in `1 table`, `3 tables`. @param many - The plural, where it is not the word with an s. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
