/** A change of the group, out of an entry that is committed: every member has it, so nobody may pass over it. */

import { DecodeError } from '@kayadb/codec';

import { configChangeOf } from '../core/config-change-encoding.ts';
import type { ConfigChange } from '../core/config-change.ts';
import type { Entry } from '../core/types.ts';
import { RaftError } from '../errors.ts';

/**
 * Requires: an entry of another kind than `normal`.
 *
 * @throws RaftError KAYA_RAFT_UNSUPPORTED when it cannot be read: a leader lets none into the log that it cannot read itself, so it was a later version.
 */
export function committedChangeOf(entry: Entry): ConfigChange {
  try {
    return configChangeOf(entry);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    const what = `entry ${entry.index} changes the group in a way that this version cannot read`;
    throw new RaftError('KAYA_RAFT_UNSUPPORTED', `${what}; run the version of the other members`, { cause });
  }
}
