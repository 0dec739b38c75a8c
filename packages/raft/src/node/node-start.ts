/**
 * From what storage and state machine remember to what a core can start from. See docs/internals/raft.md, "What a restart does".
 *
 * Invariant: what the state machine has applied is committed and is in the log, or in the snapshot.
 */

import { assert } from '@kayadb/codec';

import type { LogStorage } from '../core/log-storage.ts';
import { changeMembership, membersOf } from '../core/membership.ts';
import { type Configuration, type HardState, type LogIndex, NO_NODE, type Snapshot, type Term } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { RaftStorage } from '../storage/raft-storage.ts';
import type { ApplyStart } from './apply-loop.ts';
import { committedChangeOf } from './committed-change.ts';
import { entriesBytes } from './message-bytes.ts';
import type { AppliedStretch } from './snapshots.ts';
import type { StateMachine } from './state-machine.ts';

export interface NodeStart extends ApplyStart {
  /** `storage` as the core is to find it. */
  readonly logStorage: LogStorage;
  /** What was applied behind the newest snapshot. */
  readonly applied: readonly AppliedStretch[];
}

/** What was replayed of the log between the snapshot and the applied index. */
interface Replayed {
  readonly configuration: Configuration;
  readonly stretches: readonly AppliedStretch[];
}

const READ_BYTES = 1024 * 1024;
/** Of a group's first members, behind the snapshot that they begin with. Leaders begin with the next term. */
const FIRST_STATE: HardState = { term: 1, vote: NO_NODE, commit: 1 };

/**
 * Puts the snapshot into the state machine where the log does not reach back to it.
 *
 * @throws RaftError KAYA_RAFT_FOREIGN when the state machine is ahead of the log, or has applied another entry than the log has: one of them is from elsewhere, or from earlier.
 * @throws RaftError KAYA_RAFT_UNSUPPORTED when a change of the group in the log cannot be read.
 */
export async function prepareStart(storage: RaftStorage, stateMachine: StateMachine<unknown>): Promise<NodeStart> {
  const newest = storage.snapshot();
  const snapshot = newest === 'unavailable' || newest.meta.index === 0 ? undefined : newest;
  await restoreIfBehind(storage, stateMachine, snapshot);
  const applied = stateMachine.appliedIndex;
  const term = termOfApplied(storage, stateMachine);
  const { hardState, configuration: stored } = storage.initialState();
  const since = snapshot?.meta.index ?? 0;
  const { configuration, stretches } = replay(storage, stored, since, applied);
  return {
    logStorage: withState(storage, raiseCommit(hardState, Math.max(applied, since)), configuration),
    point: { index: applied, term, configuration },
    configurationIndex: Math.max(applied, since),
    applied: stretches,
  };
}

/**
 * The first state of every first member of a group: a log that begins behind a snapshot of index and term 1, with `configuration` in it. Members that come later start from
 * nothing, and get a snapshot. Does nothing when the storage was used before.
 *
 * Durability: when it resolves.
 *
 * @returns Whether it did. Then the storage is to be opened again before a node starts from it: what it says of its initial state is from when it was opened.
 */
export async function bootstrapGroup(
  storage: RaftStorage,
  stateMachine: StateMachine<unknown>,
  configuration: Configuration,
): Promise<boolean> {
  const { hardState, configuration: stored } = storage.initialState();
  // The term of the first state, and nothing else, is what an attempt leaves that a crash has cut short: term and vote are durable before the snapshot is.
  const { term } = FIRST_STATE;
  const isUnused = storage.lastIndex === 0 && hardState.term <= term && hardState.vote === NO_NODE;
  if (!isUnused || membersOf(stored).length > 0) return false;
  if (configuration.voters.length === 0) throw new RangeError('a group needs a voter to begin with');
  const meta = { index: FIRST_STATE.commit, term, configuration };
  if (stateMachine.appliedIndex < meta.index) await stateMachine.apply([], meta.index, meta.term);
  const snapshot = { meta, data: await stateMachine.snapshot(meta) };
  await storage.write({ entries: [], hardState: FIRST_STATE, snapshot });
  return true;
}

async function restoreIfBehind(
  storage: RaftStorage,
  stateMachine: StateMachine<unknown>,
  snapshot: Snapshot | undefined,
): Promise<void> {
  if (stateMachine.appliedIndex >= storage.firstIndex - 1) return;
  assert(
    snapshot !== undefined && snapshot.meta.index >= storage.firstIndex - 1,
    'no snapshot stands for what the log has no more',
  );
  await stateMachine.restore(snapshot);
}

/** @throws RaftError KAYA_RAFT_FOREIGN when the log does not have what was applied. */
function termOfApplied(
  storage: LogStorage,
  { appliedIndex, appliedTerm }: Pick<StateMachine<unknown>, 'appliedIndex' | 'appliedTerm'>,
): Term {
  if (appliedIndex > storage.lastIndex) {
    throw foreign(`the state machine has applied ${appliedIndex}, and the log ends at ${storage.lastIndex}`);
  }
  const term = storage.term(appliedIndex);
  assert(typeof term === 'number', `the term of ${appliedIndex}, the last that is applied, is ${term}`);
  if (appliedTerm === undefined || appliedTerm === term) return term;
  throw foreign(
    `the state machine has applied entry ${appliedIndex} of term ${appliedTerm}, and the log has one of ${term}`,
  );
}

function foreign(what: string): RaftError {
  return new RaftError('KAYA_RAFT_FOREIGN', `${what}: they do not belong together; start from an empty node`);
}

/** The configuration of the snapshot, and what entries behind it up to `applied` made of it; and how large those are. */
function replay(storage: LogStorage, stored: Configuration, since: LogIndex, applied: LogIndex): Replayed {
  const stretches: AppliedStretch[] = [];
  let configuration = stored;
  for (let from = since + 1; from <= applied;) {
    const entries = storage.entries(from, applied + 1, READ_BYTES);
    assert(typeof entries !== 'string', `entry ${from}, behind the snapshot, is not in the log`);
    for (const entry of entries) {
      if (entry.kind === 'normal') continue;
      const membership = changeMembership(configuration, committedChangeOf(entry));
      if (membership.kind === 'changed') configuration = membership.configuration;
    }
    from += entries.length;
    stretches.push({ upTo: from - 1, bytes: entriesBytes(entries) });
  }
  return { configuration, stretches };
}

/** What was applied was committed, though a commit index is not synced for its own sake. */
function raiseCommit(hardState: HardState, index: LogIndex): HardState {
  return { ...hardState, commit: Math.max(hardState.commit, index) };
}

function withState(storage: LogStorage, hardState: HardState, configuration: Configuration): LogStorage {
  return {
    initialState: () => ({ hardState, configuration }),
    get firstIndex() {
      return storage.firstIndex;
    },
    get lastIndex() {
      return storage.lastIndex;
    },
    term: (index) => storage.term(index),
    entries: (from, to, maxBytes) => storage.entries(from, to, maxBytes),
    snapshot: () => storage.snapshot(),
  };
}
