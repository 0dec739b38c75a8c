import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { StorageWatchdog } from './storage-watchdog.ts';

const TICK_MS = 50;

/** A disk that is told when a sync begins and ends, and what the watchdog says of it, as `ms what`. */
class World {
  readonly clock: VirtualClock;
  readonly told: string[] = [];
  readonly #dog: StorageWatchdog;
  #sinceMs: number | undefined;

  /** @param startMs - With a fraction, differences of times are not exact. */
  constructor(startMs = 0) {
    this.clock = new VirtualClock(startMs);
    const tell = (what: string): void => void this.told.push(`${Math.round(this.clock.now())} ${what}`);
    this.#dog = new StorageWatchdog({
      clock: this.clock,
      storage: this,
      events: {
        warn: () => tell('warn'),
        handOver: () => tell('hand over'),
        giveUp: ({ code }) => tell(`give up: ${code}`),
        recovered: (ms) => tell(`recovered after ${Math.round(ms)}`),
      },
    });
  }

  get oldestSyncMs(): number {
    return this.#sinceMs === undefined ? 0 : this.clock.now() - this.#sinceMs;
  }

  begin(): void {
    this.#sinceMs = this.clock.now();
  }

  end(): void {
    this.#sinceMs = undefined;
  }

  run(ms: number): void {
    for (let at = 0; at < ms; at += TICK_MS) {
      this.clock.advance(TICK_MS);
      this.#dog.tick();
    }
  }

  /** The process stands still. */
  pause(ms: number): void {
    this.clock.advance(ms);
  }
}

describe('StorageWatchdog', () => {
  test('warns, hands over and gives up, each once', () => {
    const world = new World();

    world.begin();
    world.run(60_000);

    expect(world.told).toEqual(['500 warn', '2000 hand over', '30000 give up: KAYA_STORAGE_STALLED']);
  });

  test('says nothing of syncs that end, however many follow each other', () => {
    const world = new World();

    for (let count = 0; count < 20; count++) {
      world.begin();
      world.run(450);
      world.end();
    }

    expect(world.told).toEqual([]);
  });

  test('tells when a stall is over, and begins again with the next one', () => {
    const world = new World();

    world.begin();
    world.run(2_500);
    world.end();
    world.run(100);
    world.begin();
    world.run(1_000);
    world.end();
    world.run(TICK_MS);

    expect(world.told).toEqual([
      '500 warn',
      '2000 hand over',
      '2550 recovered after 2500',
      '3100 warn',
      '3650 recovered after 1000',
    ]);
  });

  test('a sync that outlives the one before goes on with its own age', () => {
    const world = new World();

    world.begin();
    world.run(1_000);
    world.begin();
    world.run(1_000);

    expect(world.told).toEqual(['500 warn', '1050 recovered after 1000', '1500 warn']);
  });

  test('does not count the time in which the process stood still', () => {
    const world = new World(0.1);

    world.begin();
    world.run(300);
    world.pause(3_600_000);
    world.run(TICK_MS);
    const told = [...world.told];
    world.end();
    world.run(1_000);

    expect(told).toEqual(['3600350 warn']);
    expect(world.told).toEqual([...told, '3600400 recovered after 1300']);
  });

  test('still gives up after a pause, when the disk does not come back', () => {
    const world = new World();

    world.begin();
    world.pause(60_000);
    world.run(40_000);

    expect(world.told).toEqual(['60050 warn', '61050 hand over', '89050 give up: KAYA_STORAGE_STALLED']);
  });

  test('refuses thresholds that do not ascend', () => {
    const clock = new VirtualClock();
    const events = { warn: () => {}, handOver: () => {}, giveUp: () => {}, recovered: () => {} };
    const options = { clock, events, storage: { oldestSyncMs: 0 } };

    expect(() => new StorageWatchdog({ ...options, thresholds: { handOverMs: 100 } })).toThrow(RangeError);
    expect(() => new StorageWatchdog({ ...options, thresholds: { warnMs: 0 } })).toThrow(RangeError);
  });
});
