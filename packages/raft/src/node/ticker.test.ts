import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Ticker } from './ticker.ts';

/** A clock as a held-up event loop sees it: it has gone on while nobody looked, and timers that were due meanwhile fire late. */
class LateClock extends VirtualClock {
  lateMs = 0;

  override now(): number {
    return super.now() + this.lateMs;
  }
}

function start(): { readonly clock: LateClock; readonly ticker: Ticker; readonly log: string[] } {
  const clock = new LateClock();
  const log: string[] = [];
  const ticker = new Ticker(clock, 100, {
    tick: () => void log.push(`tick at ${clock.now()}`),
    onMissed: (lateMs) => void log.push(`missed by ${lateMs}`),
  });
  ticker.start();
  return { clock, ticker, log };
}

describe('Ticker', () => {
  test('ticks at even intervals', () => {
    const { clock, log } = start();

    clock.advance(350);

    expect(log).toEqual(['tick at 100', 'tick at 200', 'tick at 300']);
  });

  test('keeps its rate when a tick comes a little late', () => {
    const { clock, log } = start();

    clock.lateMs = 30;
    clock.advance(270);

    expect(log).toEqual(['tick at 130', 'tick at 200', 'tick at 300']);
  });

  test('makes one tick out of a long pause, and tells how long it was', () => {
    const { clock, log } = start();

    clock.lateMs = 5000;
    clock.advance(200);

    expect(log).toEqual(['missed by 5000', 'tick at 5100', 'tick at 5200']);
  });

  test('is quiet after it was stopped', () => {
    const { clock, ticker, log } = start();

    ticker.stop();
    clock.advance(1000);

    expect(log).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
