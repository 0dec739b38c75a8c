import { settle, VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Cancellation } from '../cancellation.ts';
import { ClientError } from '../client-error.ts';
import { SESSION_WINDOW } from '../limits.ts';
import { SessionKeeper, type WritePlace } from './session-keeper.ts';

describe('SessionKeeper', () => {
  test('gives a place to the next one when whom it was given to has just given up', async () => {
    const keeper = new SessionKeeper({
      clock: new VirtualClock(),
      onEvent: () => {},
      open: () => Promise.resolve({ session: 7, expiryMs: 3_600_000 }),
      touch: () => Promise.resolve(),
    });
    const places: WritePlace[] = [];
    for (let at = 0; at < SESSION_WINDOW; at++) places.push(await keeper.takePlace(new Cancellation()));
    const hasty = new Cancellation();
    const first = keeper.takePlace(hasty).catch((error: unknown) => error);
    let second: WritePlace | undefined;
    void keeper.takePlace(new Cancellation()).then((place) => (second = place));
    await settle();

    places[0]!.settle();
    hasty.cancel(new ClientError('KAYA_ABORTED', 'enough'));
    await settle();

    expect(await first).toMatchObject({ code: 'KAYA_ABORTED' });
    expect(second?.current).toEqual({ session: 7, serial: SESSION_WINDOW + 1, settled: 2 });
    keeper.close();
  });
});
