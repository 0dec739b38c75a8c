import { Worker } from 'node:worker_threads';

import { describe, expect, test } from 'vitest';

import { hasBusyThread, parseCounters, readDiskCounters, readMemoryCounters } from './process-counters.ts';

describe('parseCounters', () => {
  test('takes lines of one number, with or without a unit, and no others', () => {
    const text = 'Name:\tnode\nVmHWM:\t  1234 kB\nThreads:\t11\nGroups:\t0 1 2 \nwchar: 5\n';

    const counters = parseCounters(text);

    expect([...counters]).toEqual([
      ['VmHWM', 1234],
      ['Threads', 11],
      ['wchar', 5],
    ]);
  });
});

describe('counters of this process', () => {
  test('are there', () => {
    const memory = readMemoryCounters();

    expect(memory.residentBytes).toBeGreaterThan(1_000_000);
    expect(memory.peakBytes).toBeGreaterThanOrEqual(memory.ownBytes);
    expect(readDiskCounters().calledBytes).toBeGreaterThanOrEqual(0);
  });
});

describe('hasBusyThread', () => {
  test('sees a thread that works', async () => {
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(0); for (;;);', { eval: true });
    await new Promise((resolve) => {
      worker.once('message', resolve);
    });

    expect(hasBusyThread()).toBe(true);

    await worker.terminate();
  });
});
