import type { DiskState } from '@kayadb/engine';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { MAX_PAUSE_MS, RoomWatchdog } from './room-watchdog.ts';

const TICK_MS = 100;
const MINUTE_MS = 60_000;

/** A node that leads, and goes on leading: nobody who is asked takes its place for long. */
class World {
  readonly clock = new VirtualClock();
  /** When it handed over, in seconds. */
  readonly handedOver: number[] = [];
  diskState: DiskState | undefined = 'ok';
  leadsOthers = true;
  readonly #dog = new RoomWatchdog({
    clock: this.clock,
    diskState: () => this.diskState,
    leadsOthers: () => this.leadsOthers,
    handOver: () => void this.handedOver.push(Math.round(this.clock.now() / 1_000)),
  });

  run(ms: number): void {
    for (let at = 0; at < ms; at += TICK_MS) {
      this.clock.advance(TICK_MS);
      this.#dog.tick();
    }
  }
}

describe('RoomWatchdog', () => {
  test.each(['low', 'full'] as const)(
    'hands over at once with a disk that is %s, and then ever more seldom',
    (state) => {
      const world = new World();

      world.run(MINUTE_MS);
      world.diskState = state;
      world.run(16 * MINUTE_MS);

      expect(world.handedOver).toEqual([60, 120, 240, 480, 960]);
    },
  );

  test('goes on once an hour in the end', () => {
    const world = new World();
    world.diskState = 'low';

    world.run(6 * MAX_PAUSE_MS);

    const pauses = world.handedOver.slice(1).map((at, i) => at - world.handedOver[i]!);
    expect(pauses.slice(0, 6)).toEqual([60, 120, 240, 480, 960, 1_920]);
    expect(new Set(pauses.slice(6))).toEqual(new Set([3_600]));
  });

  test.each(['ok', 'unwatched', undefined] as const)('stays with a disk that is %s', (state) => {
    const world = new World();
    world.diskState = state;

    world.run(MINUTE_MS);

    expect(world.handedOver).toEqual([]);
  });

  test('does nothing where it does not lead, and hands over as soon as it does', () => {
    const world = new World();
    world.diskState = 'low';
    world.leadsOthers = false;

    world.run(10 * MINUTE_MS);
    world.leadsOthers = true;
    world.run(TICK_MS);

    expect(world.handedOver).toEqual([600]);
  });

  test('waits for a minute also when its disk had room in between, and begins with a minute again', () => {
    const world = new World();
    world.diskState = 'low';
    world.run(4 * MINUTE_MS);

    for (let i = 0; i < 6; i++) {
      world.diskState = 'ok';
      world.run(1_000);
      world.diskState = 'low';
      world.run(19_000);
    }

    expect(world.handedOver).toEqual([0, 60, 180, 241, 301]);
  });
});
