/** Rows in aligned columns, without lines around them: easy on the eye and on `awk`. */

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
} as const;

/** Stands for text that no column has to be as wide as. No terminal shows it, so no cell holds it. */
const PLACE = '\u0001';

/** A row may be shorter than the head; its last cell then runs on over the rest. */
export async function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const style = { head: [], border: [], 'padding-left': 0 };
  const table = new Table({ head: [...head], chars: NO_BORDERS, style });
  const long: string[] = [];
  for (const row of rows) {
    const missing = head.length - row.length;
    if (missing > 0) long.push(row.at(-1) ?? '');
    table.push(missing > 0 ? [...row.slice(0, -1), PLACE, ...Array.from({ length: missing }, () => '')] : [...row]);
  }
  return table
    .toString()
    .replaceAll(/ +$/gm, '')
    .replaceAll(PLACE, () => long.shift() ?? '');
}
