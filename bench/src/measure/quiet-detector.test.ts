import { describe, expect, test } from 'vitest';

import { type ActivitySample, QuietDetector } from './quiet-detector.ts';

const idle: ActivitySample = { atMs: 0, cpuMs: 100, writtenBytes: 1000, busyThread: false };

describe('QuietDetector', () => {
  test('finds an idle process settled from the start', () => {
    const detector = new QuietDetector(100, idle);

    expect(detector.add({ ...idle, atMs: 50 })).toBeUndefined();
    expect(detector.add({ ...idle, atMs: 100 })).toBe(0);
  });

  test.each<[string, Partial<ActivitySample>]>([
    ['bytes are written', { writtenBytes: 1001 }],
    ['a thread is at work', { busyThread: true }],
    ['processor time is used', { cpuMs: 130 }],
  ])('waits anew when %s', (_, activity) => {
    const detector = new QuietDetector(100, idle);
    const after = { ...idle, ...activity, busyThread: false };

    expect(detector.add({ ...idle, ...activity, atMs: 90 })).toBeUndefined();
    expect(detector.add({ ...after, atMs: 180 })).toBeUndefined();
    expect(detector.add({ ...after, atMs: 190 })).toBe(90);
  });

  test('lets the cost of sampling pass', () => {
    const detector = new QuietDetector(100, idle);

    expect(detector.add({ ...idle, atMs: 50, cpuMs: 105 })).toBeUndefined();
    expect(detector.add({ ...idle, atMs: 100, cpuMs: 110 })).toBe(0);
  });
});
