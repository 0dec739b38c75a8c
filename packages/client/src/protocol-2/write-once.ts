/**
 * A write that is done once or not at all. Format: docs/format/state-machine.md, "Sessions".
 *
 * Invariant: a write whose outcome is open is only ever said again with its first serial. When its session has expired it may have been done in it, so it ends
 * with KAYA_SESSION_EXPIRED; a write that certainly was not done gets a place in a new session.
 */

import type { Write, WriteAnswer } from '@kayadb/codec';

import { ClientError } from '../client-error.ts';
import { type CallContext2, runCall2 } from './call-2.ts';
import type { SessionKeeper } from './session-keeper.ts';

/** @throws ClientError */
export async function writeOnce(write: Write, sessions: SessionKeeper, context: CallContext2): Promise<WriteAnswer> {
  for (;;) {
    const place = await sessions.takePlace(context.cancellation);
    const makeRequest = () => ({ kind: 'write', write: { ...write, place: place.current } }) as const;
    try {
      const { response } = await runCall2(
        { makeRequest, target: 'leader', effect: 'settled-once' },
        'written',
        context,
      );
      return response.answer;
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'KAYA_SESSION_EXPIRED') throw error;
      sessions.expire(place.session);
      if (error.isOutcomeUnknown) throw error;
    } finally {
      place.settle();
    }
  }
}
