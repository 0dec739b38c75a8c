/** Which failures are tried: every errno on every kind of call, once and from then on, at every call or at some of each kind. */

import type { Fault, OperationKind } from '@kayadb/vfs/testing';

export const ERRNOS = ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR', 'EMFILE', 'ENFILE', 'EACCES'] as const;
export type Errno = (typeof ERRNOS)[number];

/** How many calls of each kind fail in turn. */
export interface Thoroughness {
  /** With EIO, and with ENOSPC where something is written, once. */
  readonly likely: number;
  /** With anything else, and from then on. */
  readonly unlikely: number;
}

export interface PlannedFault {
  readonly name: string;
  readonly kind: OperationKind;
  readonly faults: readonly Fault[];
  /** A write fails although all of it arrived. */
  readonly arrivesWhole?: boolean;
}

/** Calls that take space, or change what is on disk. */
const CHANGING: readonly OperationKind[] = [
  'open',
  'write',
  'truncate',
  'sync',
  'syncDirectory',
  'rename',
  'link',
  'unlink',
  'makeDirectory',
];
/** Its multiples fall evenly between 0 and 1. */
const GOLDEN_RATIO = 0.618;
/** Part of a header, of a record, of a block, and all of what was written: an error says nothing about how far it came. */
const SHORT_WRITE_BYTES = [1, 20, 130, Infinity] as const;

/** @param calls - The kinds of all calls of a run in which nothing fails, in order. */
export function planFaults(
  calls: readonly OperationKind[],
  { likely, unlikely }: Thoroughness,
): readonly PlannedFault[] {
  const planned: PlannedFault[] = [];
  for (const [kind, places] of placesByKind(calls)) {
    for (const [turn, errno] of ERRNOS.entries()) {
      const isLikely = errno === 'EIO' || (errno === 'ENOSPC' && CHANGING.includes(kind));
      for (const at of spread(places, isLikely ? likely : unlikely, turn)) {
        planned.push({
          name: `${errno} at call ${at}, ${kind}`,
          kind,
          faults: [{ at, effect: { kind: 'fail', errno } }],
        });
      }
      for (const at of spread(places, unlikely, turn + ERRNOS.length))
        planned.push(fromThenOn(errno, kind, places.indexOf(at) + 1));
    }
    if (kind === 'write') planned.push(...shortWrites(places, likely, unlikely));
    if (kind === 'write') for (const at of places) planned.push(notUndone(at, kind));
  }
  return planned;
}

/** Every call of the kind, from that one on: the others work, which takes the store further than a disk that is gone. */
function fromThenOn(errno: Errno, kind: OperationKind, at: number): PlannedFault {
  const fault: Fault = { at, kinds: [kind], forever: true, effect: { kind: 'fail', errno } };
  return { name: `${errno} from ${kind} ${at} on`, kind, faults: [fault] };
}

/** The calls that only failures make fail too. */
function notUndone(at: number, kind: OperationKind): PlannedFault {
  const faults: readonly Fault[] = [
    { at, effect: { kind: 'fail', errno: 'ENOSPC' } },
    { at: 1, kinds: ['truncate', 'removeDirectory'], forever: true, effect: { kind: 'fail', errno: 'EIO' } },
  ];
  return { name: `ENOSPC at call ${at}, ${kind}, and it cannot be undone`, kind, faults };
}

function shortWrites(places: readonly number[], likely: number, unlikely: number): readonly PlannedFault[] {
  return (['ENOSPC', 'EIO', 'EDQUOT', 'EINTR'] as const).flatMap((errno, nth) =>
    spread(places, nth < 2 ? likely : unlikely, nth).flatMap((place) => {
      const at = places.indexOf(place) + 1;
      const bytes = SHORT_WRITE_BYTES[at % SHORT_WRITE_BYTES.length]!;
      return [false, true].map((forever): PlannedFault => ({
        name: `${errno} after ${bytes} bytes of write ${at}${forever ? ' and all later ones' : ''}`,
        kind: 'write',
        faults: [{ at, forever, effect: { kind: 'short-write', bytes, errno } }],
        arrivesWhole: bytes === Infinity,
      }));
    }),
  );
}

/** Of each kind the calls, counted from 1. */
function placesByKind(calls: readonly OperationKind[]): ReadonlyMap<OperationKind, readonly number[]> {
  const places = new Map<OperationKind, number[]>();
  for (const [index, kind] of calls.entries()) places.set(kind, [...(places.get(kind) ?? []), index + 1]);
  return places;
}

/**
 * At most `most` of them, evenly. @param turn - Another number shifts the choice, so that few of each errno meet many calls.
 */
export function spread(places: readonly number[], most: number, turn: number = 0): readonly number[] {
  if (places.length <= most) return places;
  const shift = (turn * GOLDEN_RATIO) % 1;
  return Array.from({ length: most }, (_, i) => places[Math.floor(((i + shift) * places.length) / most)]!);
}
