import { describe, expect, test } from 'vitest';

import { MemoryGate } from './memory-gate.ts';

const KIB = 1024;

describe('MemoryGate', () => {
  test('lets everyone read below the soft limit', () => {
    const gate = new MemoryGate({ softBytes: 100 * KIB, hardBytes: 200 * KIB });
    const account = gate.open(() => {});

    const advice = account.update(99 * KIB, true);

    expect(advice).toBe('read');
    expect(gate.heldBytes).toBe(99 * KIB);
  });

  test('pauses the busy and the small above it, and lets a half-read large frame go on', () => {
    const gate = new MemoryGate({ softBytes: 100 * KIB, hardBytes: 1000 * KIB });
    const [large, busy, small] = [gate.open(() => {}), gate.open(() => {}), gate.open(() => {})];
    large.update(100 * KIB, false);

    const advice = [large.update(101 * KIB, false), busy.update(200 * KIB, true), small.update(64 * KIB, false)];

    expect(advice).toEqual(['read', 'pause', 'pause']);
  });

  test('closes who brings more at the hard limit, and no one else', () => {
    const gate = new MemoryGate({ softBytes: 100, hardBytes: 200 });
    const [first, second] = [gate.open(() => {}), gate.open(() => {})];
    first.update(150, true);

    const advice = [second.update(51, true), first.update(150, true)];

    expect(advice).toEqual(['close', 'pause']);
  });

  test('wakes who paused, in order, while there is room; who pauses again waits behind the others', () => {
    const gate = new MemoryGate({ softBytes: 100, hardBytes: 1000 });
    const woken: string[] = [];
    const holder = gate.open(() => {});
    const first = gate.open(() => {
      woken.push('first');
      first.update(90, true);
    });
    const second = gate.open(() => woken.push('second'));
    holder.update(100, true);
    first.update(10, true);
    second.update(0, true);

    holder.update(10, true);

    expect(woken).toEqual(['first']);
    holder.close();
    expect(woken).toEqual(['first', 'second', 'first']);
  });

  test('does not wake who found room by itself', () => {
    const gate = new MemoryGate({ softBytes: 100, hardBytes: 1000 });
    let woken = 0;
    const account = gate.open(() => woken++);
    account.update(100, true);

    const advice = account.update(50, true);
    account.close();

    expect(advice).toBe('read');
    expect(woken).toBe(0);
  });

  test('gives everything back once', () => {
    const gate = new MemoryGate({ softBytes: 100, hardBytes: 200 });
    const [kept, gone] = [gate.open(() => {}), gate.open(() => {})];
    kept.update(10, false);
    gone.update(20, false);

    gone.close();
    gone.close();
    gone.update(50, false);

    expect(gate.heldBytes).toBe(10);
  });
});
