/**
 * The picture of a store's levels: each table a bar along the key space, what is damaged in it in red. Inline SVG.
 *
 * Where a damaged stretch is drawn inside its bar goes by its place in the file, since a table's blocks are in the order of keys.
 */

import type { PlanDamage, PlanTable } from '@kayadb/engine';

import { countText } from '../count-text.ts';
import { type Html, piece } from './html.ts';

export const PICTURE_WIDTH = 1000;
export const LABEL_WIDTH = 92;
const TRACK_WIDTH = PICTURE_WIDTH - LABEL_WIDTH - 8;
const LANE_GAP = 8;
/** Narrower bars and stretches could not be seen. */
const MIN_BAR_WIDTH = 1.5;
const MIN_DAMAGE_WIDTH = 3;
/** Numbers closer to each other could not be read. */
const MARK_SPACING = 16;
const DIGIT_WIDTH = 7;
/** Room for a file's name. */
const NAME_WIDTH = 74;

/** A damaged place with its number in the list beside the picture. */
export interface NumberedPlace {
  readonly number: number;
  readonly file: string;
  readonly offset: number;
}

interface Lane {
  readonly label: string;
  readonly note: string;
  /** Tables that do not overlap, from left to right. */
  readonly rows: readonly (readonly PlanTable[])[];
  readonly rowHeight: number;
}

/** @param places - Gives the red stretches the numbers of the list. */
export function drawLevels(levels: readonly (readonly PlanTable[])[], places: readonly NumberedPlace[]): Html {
  const lanes = levels
    .map((tables, level) => ({ tables, level }))
    .filter(({ tables }) => tables.length > 0)
    .map(({ tables, level }) => layOut(tables, level));
  const drawn: Html[] = [];
  let top = 6;
  for (const lane of lanes) {
    drawn.push(drawLane(lane, top, places));
    top += laneHeight(lane) + LANE_GAP;
  }
  return piece`<svg viewBox="0 0 ${PICTURE_WIDTH} ${top + 16}" role="img" aria-label="levels and their tables along the key space">
${drawn}
<text class="soft" x="${LABEL_WIDTH}" y="${top + 8}">smallest key</text>
<text class="soft" x="${LABEL_WIDTH + TRACK_WIDTH}" y="${top + 8}" text-anchor="end">largest key</text>
</svg>`;
}

function layOut(tables: readonly PlanTable[], level: number): Lane {
  const rows: PlanTable[][] = [];
  for (const table of tables.toSorted((a, b) => a.from - b.from)) {
    const row = rows.find((each) => (each.at(-1)?.to ?? -1) < table.from);
    if (row === undefined) rows.push([table]);
    else row.push(table);
  }
  const rowHeight = rows.length <= 12 ? 20 : Math.max(4, Math.floor(240 / rows.length));
  return { label: `level ${level}`, note: countText(tables.length, 'table'), rows, rowHeight };
}

function laneHeight({ rows, rowHeight }: Lane): number {
  return Math.max(36, rows.length * pitchOf(rowHeight) + 7);
}

/** Whether there is room for numbers above the bars of a row. */
function isTall(rowHeight: number): boolean {
  return rowHeight > 8;
}

function pitchOf(rowHeight: number): number {
  return rowHeight + (isTall(rowHeight) ? 12 : 2);
}

/** The number of the first damaged place of a flat row, left of it. @param after - How far down the last one stands. */
function markBeside(
  row: readonly PlanTable[],
  y: number,
  places: readonly NumberedPlace[],
  after: number,
): Html | undefined {
  const table = row.find(({ damage, isMissing }) => isMissing || damage.length > 0);
  const place = table && placeOf(places, table.file, table.damage[0]?.offset);
  if (place === undefined || y < after + MARK_SPACING) return undefined;
  return piece`<text class="mark" x="${LABEL_WIDTH - 3}" y="${y}" text-anchor="end">${place.number}</text>`;
}

function drawLane(lane: Lane, top: number, places: readonly NumberedPlace[]): Html {
  const { label, note, rows, rowHeight } = lane;
  let lastBeside = Number.NEGATIVE_INFINITY;
  const bars = rows.flatMap((row, at) => {
    const y = top + (isTall(rowHeight) ? 13 : 4) + at * pitchOf(rowHeight);
    const beside = isTall(rowHeight) ? undefined : markBeside(row, y + rowHeight, places, lastBeside);
    if (beside !== undefined) lastBeside = y;
    let lastMark = Number.NEGATIVE_INFINITY;
    const drawn = row.map((table) => {
      const { drawn: drawnTable, mark } = drawTable(table, y, rowHeight, places, lastMark);
      lastMark = mark;
      return drawnTable;
    });
    return beside === undefined ? drawn : [...drawn, beside];
  });
  return piece`<rect class="lane" x="${LABEL_WIDTH}" y="${top}" width="${TRACK_WIDTH}" height="${laneHeight(lane)}"/>
<text x="0" y="${top + 15}">${label}</text>
<text class="soft" x="0" y="${top + 29}">${note}</text>
${bars}`;
}

function drawTable(
  table: PlanTable,
  y: number,
  height: number,
  places: readonly NumberedPlace[],
  lastMark: number,
): { readonly drawn: Html; readonly mark: number } {
  const x = LABEL_WIDTH + table.from * TRACK_WIDTH;
  const width = Math.max(MIN_BAR_WIDTH, (table.to - table.from) * TRACK_WIDTH);
  const title = tableTitle(table);
  const name = width >= NAME_WIDTH && height >= 14 ? nameIn(table, x, y, height) : undefined;
  if (table.isMissing) {
    const box = piece`<rect class="missing" x="${px(x)}" y="${y}" width="${px(Math.max(4, width))}" height="${height}"><title>${title}</title></rect>`;
    const { marks, mark } = drawMarks([{ x, place: placeOf(places, table.file, undefined) }], y, lastMark);
    return { drawn: piece`<g>${box}${name}${marks}</g>`, mark };
  }
  const stretches = table.damage.map((damage) => ({ damage, ...stretchOf(table, damage, x, width) }));
  const red = stretches.map(
    ({ damage, left, wide }) =>
      piece`<rect class="damage" x="${px(left)}" y="${y}" width="${px(wide)}" height="${height}"><title>${damageTitle(table, damage)}</title></rect>`,
  );
  const wanted = stretches.map(({ damage, left }) => ({ x: left, place: placeOf(places, table.file, damage.offset) }));
  const { marks, mark } = drawMarks(isTall(height) ? wanted : [], y, lastMark);
  const look = width < 5 ? 'bar thin' : 'bar';
  const bar = piece`<rect class="${look}" x="${px(x)}" y="${y}" width="${px(width)}" height="${height}"><title>${title}</title></rect>`;
  return { drawn: piece`<g>${bar}${red}${name}${marks}</g>`, mark };
}

function nameIn(table: PlanTable, x: number, y: number, height: number): Html {
  return piece`<text class="in-bar" x="${px(x + 5)}" y="${y + height / 2 + 4}">${table.file}</text>`;
}

function stretchOf(
  table: PlanTable,
  { offset, bytes }: PlanDamage,
  x: number,
  width: number,
): { readonly left: number; readonly wide: number } {
  const whole = Math.max(1, table.bytes);
  const share = Math.min(1, Math.max(0, bytes / whole));
  const wide = Math.min(Math.max(width, MIN_DAMAGE_WIDTH), Math.max(MIN_DAMAGE_WIDTH, share * width));
  const left = Math.max(x, Math.min(x + Math.min(1, offset / whole) * width, x + width - wide));
  return { left, wide };
}

/** Numbers above a bar, as many as there is room for. @param after - Where the last digit of the last number stands. */
export function drawMarks(
  wanted: readonly { readonly x: number; readonly place: NumberedPlace | undefined }[],
  y: number,
  after: number,
): { readonly marks: readonly Html[]; readonly mark: number } {
  const marks: Html[] = [];
  let mark = after;
  for (const { x, place } of wanted) {
    if (place === undefined || x < mark + MARK_SPACING) continue;
    marks.push(piece`<text class="mark" x="${px(x)}" y="${y - 1}">${place.number}</text>`);
    mark = x + (String(place.number).length - 1) * DIGIT_WIDTH;
  }
  return { marks, mark };
}

/** @param offset - `undefined`: any place of the file. */
export function placeOf(
  places: readonly NumberedPlace[],
  file: string,
  offset: number | undefined,
): NumberedPlace | undefined {
  return places.find((place) => place.file === file && (offset === undefined || place.offset === offset));
}

function tableTitle({ file, bytes, entryCount, firstSequence, lastSequence, isMissing, damage }: PlanTable): string {
  if (isMissing) return `${file} is missing`;
  const entries = entryCount === null ? 'entries unknown' : countText(entryCount, 'entry', 'entries');
  const writes = firstSequence === null ? '' : `, writes ${firstSequence}-${lastSequence}`;
  const bad = damage.length === 0 ? '' : `, ${countText(damage.length, 'damaged place')}`;
  return `${file}: ${countText(bytes, 'byte')}, ${entries}${writes}${bad}`;
}

function damageTitle({ file }: PlanTable, { offset, bytes, reason }: PlanDamage): string {
  return `${file} at offset ${offset}, ${countText(bytes, 'byte')}: ${reason}`;
}

export function px(value: number): string {
  return value.toFixed(1);
}
