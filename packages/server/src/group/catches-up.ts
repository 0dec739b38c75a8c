/** Whether a node has what its group has agreed on by now: before it gives its word for the group. */

import type { Clock } from '@kayadb/codec';

import type { Replica } from '../replica/replica.ts';
import { settlesWithin } from '../settles-within.ts';

/** Less than a dialer waits for the answer to its greeting. */
const CATCH_UP_MS = 2_000;

/** @returns Whether everything that was committed before the call is applied here; false also when that can not be known, as without a leader. Bound: `CATCH_UP_MS`. */
export async function catchesUp(replica: Pick<Replica, 'read'>, clock: Clock): Promise<boolean> {
  try {
    return await settlesWithin(
      replica.read({ kind: 'linearizable' }, () => Promise.resolve()),
      CATCH_UP_MS,
      clock,
    );
  } catch {
    return false;
  }
}
