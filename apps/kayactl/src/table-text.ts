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

/** A row may be shorter than the head; its last cell then spans the rest. */
export async function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const style = { head: [], border: [], 'padding-left': 0 };
  const table = new Table({ head: [...head], chars: NO_BORDERS, style });
  for (const row of rows) {
    const span = head.length - row.length + 1;
    const last = row.length - 1;
    table.push(row.map((content, at) => (at === last && span > 1 ? { content, colSpan: span } : content)));
  }
  return table.toString().replaceAll(/ +$/gm, '');
}
