/**
 * The picture of the write-ahead log: its segments one behind the other, and where it is damaged, torn or missing. Inline SVG.
 *
 * Segments are equally wide: what matters is in which of them, and about where in it, the log breaks off.
 */

import type { Loss, RecoveredFile, RecoveryReport } from '@kayadb/engine';

import { countText } from '../count-text.ts';
import { type Html, piece } from './html.ts';
import { drawMarks, LABEL_WIDTH, type NumberedPlace, PICTURE_WIDTH, placeOf, px } from './plan-picture.ts';

const TRACK_WIDTH = PICTURE_WIDTH - LABEL_WIDTH - 8;
const BAR_TOP = 16;
const BAR_HEIGHT = 22;
const GAP = 3;
/** Behind its last known place, a segment is mostly zeros written ahead; so much of it is drawn. */
const TAIL_SHARE = 1.25;

/** @returns `undefined` when the store has no log. @param losses - Where stretches end, as far as it is known. */
export function drawLog(
  { files }: RecoveryReport,
  losses: readonly Loss[],
  places: readonly NumberedPlace[],
): Html | undefined {
  const segments = files.filter(({ kind, state }) => kind === 'wal' && state !== 'obsolete' && state !== 'orphan');
  if (segments.length === 0) return undefined;
  const width = TRACK_WIDTH / segments.length;
  let isCut = false;
  let lastMark = Number.NEGATIVE_INFINITY;
  const drawn = segments.map((file, index) => {
    const x = LABEL_WIDTH + index * width;
    const parts = drawSegment(file, { x, width: width - GAP }, losses, isCut);
    const { marks, mark } = drawMarks(
      parts.starts.map((start) => ({ x: start.x, place: placeOf(places, file.name, start.offset) })),
      BAR_TOP,
      lastMark,
    );
    lastMark = mark;
    isCut ||= parts.isCut;
    return piece`<g>${parts.drawn}${marks}</g>`;
  });
  return piece`<svg viewBox="0 0 ${PICTURE_WIDTH} ${BAR_TOP + BAR_HEIGHT + 20}" role="img" aria-label="segments of the write-ahead log">
<text x="0" y="${BAR_TOP + 10}">log</text>
<text class="soft" x="0" y="${BAR_TOP + 24}">${countText(segments.length, 'segment')}</text>
${drawn}
<text class="soft" x="${LABEL_WIDTH}" y="${BAR_TOP + BAR_HEIGHT + 14}">oldest</text>
<text class="soft" x="${LABEL_WIDTH + TRACK_WIDTH}" y="${BAR_TOP + BAR_HEIGHT + 14}" text-anchor="end">newest</text>
</svg>`;
}

interface Box {
  readonly x: number;
  readonly width: number;
}

interface SegmentParts {
  readonly drawn: readonly Html[];
  readonly starts: readonly { readonly x: number; readonly offset: number | undefined }[];
  /** The log breaks off in it, so that what follows is not reached in order. */
  readonly isCut: boolean;
}

function drawSegment(file: RecoveredFile, { x, width }: Box, losses: readonly Loss[], isCut: boolean): SegmentParts {
  const { name, bytes, state, damage, offset, reason } = file;
  const base = piece`x="${px(x)}" y="${BAR_TOP}" width="${px(width)}" height="${BAR_HEIGHT}"`;
  const label =
    width >= 74 ? piece`<text class="in-bar" x="${px(x + 5)}" y="${BAR_TOP + 15}">${name}</text>` : undefined;
  if (state === 'missing' || state === 'unreadable') {
    const title = `${name}: ${reason ?? state}`;
    const box = piece`<rect class="missing" ${base}><title>${title}</title></rect>`;
    return { drawn: [box, ...(label === undefined ? [] : [label])], starts: [{ x, offset: undefined }], isCut: true };
  }
  const records = file.recordCount === null ? '' : `, ${countText(file.recordCount, 'record')}`;
  const title = `${name}: ${countText(bytes, 'byte')}${records}${isCut ? ', behind the damage' : ''}`;
  const drawn = [piece`<rect class="${isCut ? 'unused' : 'bar'}" ${base}><title>${title}</title></rect>`];
  const stretches = damage.map((each) => ({ ...each, bytes: bytesOf(losses, name, each.offset) }));
  const torn = state === 'torn-tail' && offset !== null ? [{ offset, reason: reason ?? '', bytes: 0 }] : [];
  const known = Math.max(
    1,
    ...[...stretches, ...torn, ...losses.filter((loss) => loss.file === name)].map((each) => each.offset + each.bytes),
  );
  const extent = stretches.length + torn.length === 0 ? bytes : Math.max(1, Math.min(bytes, known * TAIL_SHARE));
  const at = (place: number): number => x + Math.min(1, place / extent) * width;
  const [first] = stretches;
  if (first !== undefined && !isCut) {
    const from = at(first.offset);
    const behind = `${name} behind offset ${first.offset}: not reached in order`;
    drawn.push(
      piece`<rect class="unused" x="${px(from)}" y="${BAR_TOP}" width="${px(x + width - from)}" height="${BAR_HEIGHT}"><title>${behind}</title></rect>`,
    );
  }
  for (const [kind, list] of [
    ['damage', stretches],
    ['torn', torn],
  ] as const) {
    for (const each of list) {
      const wide = Math.max(4, at(each.offset + each.bytes) - at(each.offset));
      const left = Math.min(at(each.offset), x + width - wide);
      const size = each.bytes === 0 ? '' : `, ${countText(each.bytes, 'byte')}`;
      const what = `${name} at offset ${each.offset}${size}: ${each.reason}`;
      drawn.push(
        piece`<rect class="${kind}" x="${px(left)}" y="${BAR_TOP}" width="${px(wide)}" height="${BAR_HEIGHT}"><title>${what}</title></rect>`,
      );
    }
  }
  if (label !== undefined) drawn.push(label);
  return {
    drawn,
    starts: [...stretches, ...torn].map((each) => ({ x: at(each.offset), offset: each.offset })),
    isCut: stretches.length > 0,
  };
}

/** How far the place itself reaches: ways out that give up all behind it have it larger. */
function bytesOf(losses: readonly Loss[], file: string, offset: number): number {
  const sizes = losses.filter((loss) => loss.file === file && loss.offset === offset && loss.bytes > 0);
  return sizes.length === 0 ? 0 : Math.min(...sizes.map(({ bytes }) => bytes));
}
