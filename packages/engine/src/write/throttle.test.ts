import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Counters } from '../counters.ts';
import type { EngineEvent } from '../types.ts';
import { Throttle } from './throttle.ts';
import type { SlowdownPressure } from './write-stall.ts';

const MIB = 1024 * 1024;
const limits = {
  memtables: { from: 2, to: 3 },
  level0Tables: { from: 8, to: 32 },
  debtBytes: { from: 100 * MIB, to: 1100 * MIB },
};

/** One writer on a machine whose compaction drains so much, and whose backlog is the debt. */
class World {
  readonly clock = new VirtualClock();
  readonly counters = new Counters(this.clock);
  readonly events: EngineEvent[] = [];
  turns = 0;
  pressure: SlowdownPressure = { frozenMemtables: 0, activeShare: 0, level0Tables: 0, debtBytes: 0 };
  readonly throttle = new Throttle({
    clock: this.clock,
    yieldTurn: async () => {
      this.turns++;
    },
    pressure: () => this.pressure,
    limits,
    counters: this.counters,
    onEvent: (event) => void this.events.push(event),
  });

  async passed(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms);
  }

  /** Writes one group that takes `ms` itself. @returns How long it was held back. */
  async write(bytes: number, ms: number): Promise<number> {
    const startMs = this.clock.now();
    for (let wait = this.throttle.hold(); wait !== undefined; wait = this.throttle.hold()) await this.#waitFor(wait);
    const heldMs = this.clock.now() - startMs;
    await this.passed(ms);
    this.throttle.admit(bytes);
    return heldMs;
  }

  async #waitFor(wait: Promise<void>): Promise<void> {
    const state = { isOver: false };
    void wait.then(() => (state.isOver = true));
    await this.passed(0);
    while (!state.isOver) await this.passed(this.clock.nextDueMs! - this.clock.now());
  }

  told(): readonly (number | undefined)[] {
    return this.events.flatMap((event) => (event.kind === 'slowed' ? [event.bytesPerSecond] : []));
  }
}

describe('Throttle', () => {
  test('holds nobody back without pressure', async () => {
    const world = new World();

    let heldMs = 0;
    for (let i = 0; i < 200; i++) heldMs += await world.write(MIB, 10);

    expect([heldMs, world.events.length, world.counters.slowedBytes]).toEqual([0, 0, 0]);
  });

  test('holds nobody back before it has seen a rate', async () => {
    const world = new World();
    world.pressure = { ...world.pressure, level0Tables: 31 };

    let heldMs = 0;
    for (let i = 0; i < 50; i++) heldMs += await world.write(MIB, 0);

    expect(heldMs).toBe(0);
  });

  test('brings writers to what drains, in short delays and without a stall', async () => {
    const world = new World();
    const drainedPerMs = 0.04 * MIB;
    const delays: number[] = [];
    const seconds: number[] = [];
    let debt = 0;
    let worst = 0;
    for (let second = 0; second < 40; second++) {
      let written = 0;
      for (const end = (second + 1) * 1000; world.clock.now() < end; written += 0.5 * MIB) {
        const startMs = world.clock.now();
        delays.push(await world.write(0.5 * MIB, 4));
        debt = Math.max(0, debt + 0.5 * MIB - (world.clock.now() - startMs) * drainedPerMs);
        worst = Math.max(worst, debt);
        world.pressure = { ...world.pressure, debtBytes: debt };
      }
      seconds.push(written / MIB);
    }

    expect(Math.max(...delays)).toBeLessThanOrEqual(20);
    expect(worst).toBeLessThan(1100 * MIB);
    expect(seconds.slice(0, 1)[0]).toBeGreaterThan(100);
    const settled = seconds.slice(25);
    expect(Math.max(...settled) / Math.min(...settled)).toBeLessThan(1.3);
    expect(settled.at(-1)).toBeGreaterThan(34);
    expect(settled.at(-1)).toBeLessThan(50);
    expect(world.told().length).toBeLessThan(6);
  });

  test('puts delays too short for a timer together', async () => {
    const world = new World();
    for (let i = 0; i < 110; i++) await world.write(0.1 * MIB, 1);
    world.pressure = { ...world.pressure, level0Tables: 20 };
    const startMs = world.clock.now();

    const delays: number[] = [];
    for (let i = 0; i < 2000; i++) delays.push(await world.write(0.01 * MIB, 0));

    const waits = delays.filter((ms) => ms > 0);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
    expect(waits.length).toBeGreaterThan(50);
    // 20 MiB at the 100 MiB per second that were measured.
    expect(world.clock.now() - startMs).toBeGreaterThan(160);
    expect(world.clock.now() - startMs).toBeLessThan(220);
    expect(world.counters.slowedTotalUs).toBeGreaterThan(160_000);
    expect(world.counters.slowedBytes).toBeGreaterThan(19 * MIB);
  });

  test('counts the time that a group took itself', async () => {
    const world = new World();
    for (let i = 0; i < 110; i++) await world.write(0.1 * MIB, 1);
    world.pressure = { ...world.pressure, level0Tables: 20 };

    let heldMs = 0;
    for (let i = 0; i < 200; i++) heldMs += await world.write(0.1 * MIB, 1);

    expect(heldMs).toBe(0);
    expect(world.counters.slowedBytes).toBeGreaterThan(19 * MIB);
  });

  test('learns nothing about what drains from writers that it does not hold back', async () => {
    const world = new World();
    for (let i = 0; i < 110; i++) await world.write(0.1 * MIB, 1);
    world.pressure = { ...world.pressure, level0Tables: 31 };
    for (let i = 0; i < 300; i++) await world.write(0.1 * MIB, 100);

    world.pressure = { ...world.pressure, level0Tables: 20 };
    for (let i = 0; i < 5; i++) await world.write(2 * MIB, 1);

    expect(world.told()[0]! / MIB).toBeGreaterThan(95);
    expect(world.told()[0]! / MIB).toBeLessThan(105);
  });

  test('owes no more than a moment, whatever a group weighs', async () => {
    const world = new World();
    for (let i = 0; i < 20; i++) await world.write(MIB, 10);
    world.pressure = { ...world.pressure, level0Tables: 32 };
    await world.write(500 * MIB, 10);

    const heldMs = await world.write(1, 0);

    expect(heldMs).toBeGreaterThanOrEqual(14);
    expect(heldMs).toBeLessThanOrEqual(15);
  });

  test('lets writers go as soon as the pressure is gone', async () => {
    const world = new World();
    for (let i = 0; i < 20; i++) await world.write(MIB, 10);
    world.pressure = { ...world.pressure, level0Tables: 32 };
    await world.write(500 * MIB, 10);
    world.clock.setTimer(5, () => (world.pressure = { ...world.pressure, level0Tables: 0 }));

    const heldMs = await world.write(1, 0);

    expect(heldMs).toBe(10);
  });

  test('tells when it begins, when the rate has changed by two, and when it is over', async () => {
    const world = new World();
    const write = async (level0Tables: number): Promise<void> => {
      world.pressure = { ...world.pressure, level0Tables };
      for (let i = 0; i < 5; i++) await world.write(2 * MIB, 1);
    };
    for (let i = 0; i < 20; i++) await world.write(MIB, 10);

    await write(20);
    await write(30);
    await world.passed(1000);
    await write(22);
    await write(30);
    await write(0);
    const before = world.told().map((rate) => rate && Math.round(rate / MIB));
    await world.passed(2000);

    const [first = 0, second = 0, ...rest] = before;
    expect(first / second).toBeGreaterThan(2);
    expect(rest).toEqual([]);
    expect(world.told().slice(2)).toEqual([undefined]);
    expect(world.events[0]).toMatchObject({ reason: '20 level-0 tables are waiting to be compacted' });
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('leaves no timer behind when it is closed', async () => {
    const world = new World();
    for (let i = 0; i < 20; i++) await world.write(MIB, 10);
    world.pressure = { ...world.pressure, level0Tables: 20 };
    for (let i = 0; i < 5; i++) await world.write(2 * MIB, 1);
    const before = world.clock.pendingTimers;

    world.throttle.close();

    expect([before, world.clock.pendingTimers]).toEqual([1, 0]);
  });

  test('gives the event loop a turn when groups have had it to themselves for a while', async () => {
    const world = new World();

    for (let i = 0; i < 100; i++) await world.write(64 * 1024, 1);

    expect(world.turns).toBeGreaterThan(10);
    expect(world.turns).toBeLessThan(25);
  });
});
