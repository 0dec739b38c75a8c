/** One node of a script: a core, its log, the work that its threads have before them, and a state machine that appends what it is given. */

import {
  type CoreConfig,
  type Entry,
  type HardState,
  levelOf,
  type NodeId,
  RaftCore,
  type Snapshot,
  type StorageAppend,
  type StorageApply,
} from '@kayadb/raft';
import { configChangeOf } from '@kayadb/raft/testing';

import { CommandError } from '../script/command-error.ts';
import { describeEvent } from '../words/describe-event.ts';
import { isEmptyHardState } from '../words/describe-state.ts';
import { entryBytes } from './entry-bytes.ts';
import type { ScriptOutput } from './script-output.ts';
import { ScriptStorage } from './script-storage.ts';

export const ELECTION_TICKS = 3;
export const HEARTBEAT_TICKS = 1;
const NO_INFLIGHT_LIMIT = 2 ** 31 - 1;

/** What `add-nodes` says about its nodes. */
export type NodeOptions = Pick<
  CoreConfig,
  | 'asyncStorageWrites'
  | 'checkInvariants'
  | 'checkQuorum'
  | 'disableConfigChangeValidation'
  | 'maxCommittedBytesPerReady'
  | 'maxInflightMessages'
  | 'preVote'
  | 'readOnly'
  | 'stepDownOnRemoval'
>;

export class ScriptNode {
  readonly id: NodeId;
  readonly isAsync: boolean;
  readonly storage: ScriptStorage;
  readonly core: RaftCore;
  readonly appendWork: StorageAppend[] = [];
  readonly applyWork: StorageApply[] = [];
  /** After every entry that was applied. A snapshot from elsewhere is not among them. */
  readonly #snapshots: Snapshot[];

  /**
   * @param snapshot - Where the node starts from, unless its index is 0.
   * @throws CommandError when it cannot start from there.
   */
  constructor(id: NodeId, options: NodeOptions, snapshot: Snapshot, output: ScriptOutput) {
    this.id = id;
    this.isAsync = options.asyncStorageWrites ?? false;
    this.#snapshots = [snapshot];
    this.storage = new ScriptStorage(() => this.newestSnapshot);
    if (snapshot.meta.index > 0) this.storage.applySnapshot(snapshot);
    this.core = new RaftCore({
      maxInflightMessages: NO_INFLIGHT_LIMIT,
      ...options,
      id,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      storage: this.storage,
      applied: snapshot.meta.index,
      random: () => 0,
      entryBytes,
      onEvent: (event) => output.log(levelOf(event), describeEvent(event, id)),
    });
  }

  get newestSnapshot(): Snapshot {
    return this.#snapshots.at(-1)!;
  }

  /** @throws CommandError when a snapshot comes along with entries, or is an old one. */
  store(hardState: HardState | undefined, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (hardState !== undefined && !isEmptyHardState(hardState)) this.storage.setHardState(hardState);
    if (snapshot === undefined || snapshot.meta.index === 0) {
      this.storage.append(entries);
      return;
    }
    if (entries.length > 0) throw new CommandError("can't apply snapshot and entries at the same time");
    this.storage.applySnapshot(snapshot);
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const before = this.newestSnapshot;
      const { index, term } = entry;
      const { update, configuration = before.meta.configuration } = this.#carryOut(entry);
      const data = Uint8Array.of(...before.data, ...update);
      this.#snapshots.push({ meta: { index, term, configuration }, data });
    }
  }

  #carryOut(entry: Entry): { readonly update: Uint8Array; readonly configuration?: Snapshot['meta']['configuration'] } {
    if (entry.kind === 'normal') return { update: entry.data };
    const change = configChangeOf(entry);
    return { update: change.context, configuration: this.core.applyConfigChange(change) };
  }
}
