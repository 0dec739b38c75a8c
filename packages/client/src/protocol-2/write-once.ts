/**
 * A write that is done once or not at all. Format: docs/format/state-machine.md, "Sessions".
 *
 * Invariant: a write whose outcome is open is only ever said again with its first serial. When its session has expired it may have been done in it, so it ends
 * with KAYA_SESSION_EXPIRED; a write that certainly was not done gets a place in a new session. So does one whose serial is stale at its first try: the session
 * is another client's, as when a new cluster stands where the old one was.
 */

import type { Write, WriteAnswer } from '@kayadb/codec';

import { ClientError, type ClientErrorCode } from '../client-error.ts';
import { type CallContext2, runCall2 } from './call-2.ts';
import type { SessionKeeper } from './session-keeper.ts';

/** What says that there is no place for this client in the session. */
const OVER: ReadonlySet<string> = new Set<ClientErrorCode>(['KAYA_SESSION_EXPIRED', 'KAYA_STALE_SERIAL']);

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
      if (!(error instanceof ClientError) || !OVER.has(error.code)) throw error;
      sessions.expire(place.session);
      if (error.isOutcomeUnknown) throw error;
    } finally {
      place.settle();
    }
  }
}
