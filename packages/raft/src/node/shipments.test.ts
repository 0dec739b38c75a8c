import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { SnapshotRequest } from '../core/message.ts';
import { EMPTY_CONFIGURATION } from '../core/types.ts';
import { Shipments } from './shipments.ts';

function request(to: number, index: number): SnapshotRequest {
  const snapshot = { meta: { index, term: 1, configuration: EMPTY_CONFIGURATION }, data: new Uint8Array(0) };
  return { kind: 'snapshot', from: 1, to, term: 1, snapshot };
}

class World {
  readonly log: string[] = [];
  readonly ends: { readonly arrive: () => void; readonly fail: (error: unknown) => void }[] = [];
  signal: AbortSignal | undefined;
  readonly shipments = new Shipments(
    {
      ship: ({ to, snapshot }, signal) => {
        this.log.push(`ship ${snapshot.meta.index} to ${to}`);
        this.signal = signal;
        return new Promise((arrive, fail) => {
          this.ends.push({ arrive, fail });
        });
      },
    },
    {
      report: (to, hasArrived) => void this.log.push(`${to}: ${hasArrived ? 'arrived' : 'lost'}`),
      onFailed: (to, index) => void this.log.push(`failed ${index} to ${to}`),
    },
  );
}

describe('Shipments', () => {
  test('go to several peers at once, one each, and are reported once each', async () => {
    const world = new World();
    world.shipments.ship(request(2, 10));
    world.shipments.ship(request(3, 10));
    world.shipments.ship(request(2, 20));
    await settle();

    world.ends[1]!.fail(new Error('gone'));
    world.ends[0]!.arrive();
    await settle();

    expect(world.log.toSorted()).toEqual(['2: arrived', '3: lost', 'failed 10 to 3', 'ship 10 to 2', 'ship 10 to 3']);
    expect(world.shipments.count).toBe(0);
  });

  test('go to the same peer again afterwards', async () => {
    const world = new World();
    world.shipments.ship(request(2, 10));
    await settle();
    world.ends[0]!.arrive();
    await settle();

    world.shipments.ship(request(2, 20));
    await settle();

    expect(world.log).toEqual(['ship 10 to 2', '2: arrived', 'ship 20 to 2']);
  });

  test('are called off when the node stops, which waits for them, and nothing is reported', async () => {
    const world = new World();
    world.shipments.ship(request(2, 10));
    await settle();

    const stopped = world.shipments.stop();
    const wasAborted = world.signal?.aborted;
    world.ends[0]!.fail(new Error('aborted'));
    await stopped;
    world.shipments.ship(request(3, 10));
    await settle();

    expect(wasAborted).toBe(true);
    expect(world.log).toEqual(['ship 10 to 2']);
  });

  test('that nobody needs any more are called off, reported, and begun again only when the shipper has let go', async () => {
    const world = new World();
    world.shipments.ship(request(2, 10));
    await settle();

    world.shipments.callOff();
    world.shipments.callOff();
    const wasAborted = world.signal?.aborted;
    world.shipments.ship(request(2, 20));
    world.ends[0]!.fail(world.signal?.reason);
    await settle();
    world.shipments.ship(request(2, 20));
    await settle();

    expect(wasAborted).toBe(true);
    expect(world.log).toEqual(['ship 10 to 2', 'failed 10 to 2', '2: lost', 'ship 20 to 2']);
    expect(world.signal?.aborted).toBe(false);
  });
});
