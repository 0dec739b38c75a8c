import { describe, expect, test } from 'vitest';

import { AcknowledgedPrefix, type LineCounts, NO_LINES } from './acknowledged-prefix.ts';

function imported(lines: number): LineCounts {
  return { lines, imported: lines, bad: 0, blank: 0 };
}

describe('AcknowledgedPrefix', () => {
  test('moves on only when no earlier unit is open', () => {
    const prefix = new AcknowledgedPrefix(NO_LINES);
    const first = prefix.add({ counts: imported(2), isCheckpoint: true });
    const second = prefix.add({ counts: imported(3), isCheckpoint: true });

    second(imported(3));
    const before = prefix.counts;
    first(imported(2));

    expect(before).toEqual(NO_LINES);
    expect(prefix.counts).toEqual(imported(5));
  });

  test('goes on from what an earlier run has done', () => {
    const prefix = new AcknowledgedPrefix({ lines: 10, imported: 7, bad: 2, blank: 1 });

    prefix.add({ counts: imported(1), isCheckpoint: true })(imported(1));

    expect(prefix.counts).toEqual({ lines: 11, imported: 8, bad: 2, blank: 1 });
  });

  test('counts a unit as it was settled, not as it was announced', () => {
    const prefix = new AcknowledgedPrefix(NO_LINES);

    prefix.add({ counts: imported(1), isCheckpoint: true })({ lines: 1, imported: 0, bad: 1, blank: 0 });

    expect(prefix.counts).toEqual({ lines: 1, imported: 0, bad: 1, blank: 0 });
  });

  test('keeps the checkpoint behind units that are no checkpoint', () => {
    const prefix = new AcknowledgedPrefix(NO_LINES);
    prefix.add({ counts: imported(1), isCheckpoint: false })(imported(1));
    prefix.add({ counts: imported(1), isCheckpoint: true })(imported(1));
    prefix.add({ counts: imported(1), isCheckpoint: false })(imported(1));

    const { counts, checkpoint } = prefix;

    expect(counts.lines).toBe(3);
    expect(checkpoint.lines).toBe(2);
  });
});
