/** Numbers of things, for people. */

/** As in `1 table`, `3 tables`. @param many - The plural, where it is not the word with an s. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** As in `2,400,000`: for numbers that are read and not typed. */
export function groupText(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** As in `1 row`, `2,400,000 rows`. */
export function groupedCountText(count: number, one: string, many = `${one}s`): string {
  return `${groupText(count)} ${count === 1 ? one : many}`;
}
