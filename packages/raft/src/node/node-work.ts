/**
 * What comes out of the core, carried out: writes, entries to be applied, messages, snapshots; and what comes back from it.
 * The rules are those of docs/internals/raft.md, "The host's loop", 9 to 16.
 *
 * Invariant: after `stop` nothing is stored, sent or applied any more.
 */

import { assert } from '@kayadb/codec';

import type { ConfigChange } from '../core/config-change.ts';
import { describeConfiguration } from '../core/describe-configuration.ts';
import { membersOf } from '../core/membership.ts';
import type { Message, PeerMessage, SnapshotRequest, StorageAppend } from '../core/message.ts';
import type { RaftCore } from '../core/raft-core.ts';
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type Configuration,
  type Entry,
  type LogIndex,
  type Snapshot,
} from '../core/types.ts';
import type { RaftErrorCode } from '../errors.ts';
import { AppendLane } from './append-lane.ts';
import { ApplyLoop } from './apply-loop.ts';
import { Installs } from './installs.ts';
import { MemberLooks } from './member-looks.ts';
import type { NodeEventSink } from './node-events.ts';
import type { NodeLimits, NodeWorld } from './node-options.ts';
import type { NodeStart } from './node-start.ts';
import { dropped, type Proposals } from './proposals.ts';
import type { Reads } from './reads.ts';
import { Releases } from './releases.ts';
import { Shipments } from './shipments.ts';
import { Snapshots } from './snapshots.ts';
import { pickSuccessor } from './successor.ts';

export interface NodeWorkParts<Result> {
  readonly world: NodeWorld<Result>;
  readonly start: NodeStart;
  readonly limits: NodeLimits;
  readonly onEvent: NodeEventSink;
  readonly core: RaftCore;
  readonly proposals: Proposals<Result>;
  readonly reads: Reads;
  readonly host: NodeWorkHost;
}

export interface NodeWorkHost {
  /** An answer of one of the node's threads. */
  deliver(message: Message): void;
  /** `ask` calls the core in the next turn. */
  wish(ask: () => void): void;
  /** The core has something ready that no turn knows of. */
  schedule(): void;
  /** The node cannot go on. */
  fail(what: string, cause: unknown, code: RaftErrorCode): void;
}

export class NodeWork<Result> {
  readonly lane: AppendLane;
  readonly installs = new Installs();
  readonly #parts: NodeWorkParts<Result>;
  readonly #applyLoop: ApplyLoop<Result>;
  readonly #releases: Releases;
  readonly #shipments: Shipments;
  readonly #snapshots: Snapshots;
  /** Of the last snapshot of a leader: the configuration up to there came with it. */
  #snapshotIndex: LogIndex = 0;
  #isStopped = false;

  constructor(parts: NodeWorkParts<Result>) {
    const { world, start, limits, onEvent, core, host } = parts;
    const { id, storage, stateMachine } = world;
    this.#parts = parts;
    this.lane = new AppendLane(this.#laneHost(), limits);
    this.#applyLoop = new ApplyLoop(stateMachine, start, this.#applyHost(), world);
    this.#releases = new Releases(id, {
      send: (message) => this.#send(message),
      deliver: (message) => host.deliver(message),
      restore: (snapshot, done) => this.#applyLoop.restore(snapshot, done),
    });
    this.#shipments = new Shipments(world.shipper, {
      report: (to, hasArrived) => host.wish(() => core.reportSnapshot(to, hasArrived)),
      onFailed: (to, index, cause) => onEvent({ kind: 'snapshot-shipping-failed', to, index, cause }),
    });
    const looks = new MemberLooks();
    const otherViews = { otherMembers: () => looks.look(core.status()), onEvent };
    this.#snapshots = new Snapshots(limits, storage, stateMachine, otherViews, start.applied);
  }

  get appliedIndex(): LogIndex {
    return this.#applyLoop.point.index;
  }

  get isMakingSnapshot(): boolean {
    return this.#snapshots.isMaking;
  }

  /** Carries out one message of a `ready`. */
  carryOut(message: Message): void {
    if (message.kind === 'storage-append') this.#store(message);
    else if (message.kind === 'storage-apply') this.#applyLoop.apply(message);
    else this.#send(message);
  }

  /** All of what the core had ready was carried out. */
  turnEnded(): void {
    this.installs.turnEnded();
    // Who does not lead brings nobody up to date: the next leader has a snapshot of its own.
    if (this.#parts.core.role !== 'leader') this.#shipments.callOff();
  }

  stop(): void {
    this.#isStopped = true;
    this.lane.stop();
  }

  /** Requires: `stop` was called. Resolves when nobody who was called is at work any more. */
  async join(): Promise<void> {
    await Promise.all([this.#applyLoop.stop(), this.#snapshots.stop(), this.#shipments.stop(), this.lane.idle()]);
  }

  #store(work: StorageAppend): void {
    const { snapshot } = work;
    if (snapshot !== undefined) {
      this.#snapshotIndex = snapshot.meta.index;
      this.#snapshots.restoreBegins();
      this.installs.taken(snapshot);
    }
    this.lane.push(work);
  }

  #send(message: Message): void {
    assert(message.to !== APPEND_THREAD && message.to !== APPLY_THREAD, `${message.kind} is not for a thread`);
    if (message.kind === 'snapshot') this.#ship(message);
    else this.#parts.world.sender.send(message as PeerMessage);
  }

  /**
   * A new member would not take a snapshot from before it was one. So a newer one is made first, and the core, told that this one did not arrive, sends
   * that when it asks again.
   */
  #ship(message: SnapshotRequest): void {
    const { to, snapshot } = message;
    if (membersOf(snapshot.meta.configuration).includes(to)) {
      this.#shipments.ship(message);
      return;
    }
    const { core, host } = this.#parts;
    this.#snapshots.demand(() => host.wish(() => core.reportSnapshot(to, false)));
    if (this.#applyLoop.isIdle) this.#snapshots.meetDemand(this.#applyLoop.point);
  }

  #laneHost(): ConstructorParameters<typeof AppendLane>[0] {
    const { world, onEvent, proposals, host } = this.#parts;
    return {
      write: (batch) => world.storage.write(batch),
      onDurable: (work) => this.#releases.release(work),
      onDiskFull: (cause) => {
        onEvent({ kind: 'disk-full', cause });
        proposals.refuseWaiting(dropped('the disk of this node is full'));
        host.wish(() => this.#handOver());
      },
      onRoom: () => onEvent({ kind: 'disk-has-room' }),
      onFailed: (cause) =>
        host.fail('its storage failed, and what is on disk is not known', cause, 'KAYA_RAFT_POISONED'),
    };
  }

  /** Somebody with room on the disk is to lead. */
  #handOver(): void {
    const { core } = this.#parts;
    if (core.role !== 'leader') return;
    const successor = pickSuccessor(core.status());
    if (successor !== 0) core.transferLeader(successor);
  }

  #applyHost(): ConstructorParameters<typeof ApplyLoop<Result>>[2] {
    const { proposals, reads, host } = this.#parts;
    return {
      applyConfigChange: (entry, change, configuration) => this.#applyConfigChange(entry, change, configuration),
      onEntryApplied: (entry, outcome) => proposals.applied(entry, outcome),
      onPointMoved: (point, bytes) => {
        this.#snapshots.pointMoved(point, bytes);
        reads.applied(point.index);
      },
      onApplied: ({ responses }) => {
        for (const response of responses) host.deliver(response);
      },
      readyToRestore: () => this.#snapshots.settled(),
      onRestored: (snapshot) => this.#restored(snapshot),
      onIdle: () => this.#snapshots.meetDemand(this.#applyLoop.point),
      onFailed: (cause) => host.fail('what is committed could not be applied', cause, 'KAYA_RAFT_STOPPED'),
    };
  }

  #applyConfigChange(entry: Entry, change: ConfigChange, configuration: Configuration): void {
    // The core took a snapshot over meanwhile, whose configuration is a later one.
    if (entry.index <= this.#snapshotIndex || this.#isStopped) return;
    const inForce = describeConfiguration(this.#parts.core.applyConfigChange(change));
    const expected = describeConfiguration(configuration);
    assert(inForce === expected, `the group is ${inForce} to the core and ${expected} to the log`);
    this.#parts.host.schedule();
  }

  #restored(snapshot: Snapshot): void {
    const { index, term } = snapshot.meta;
    this.#snapshots.restoreEnded();
    this.#parts.proposals.coveredBySnapshot(index, term);
    this.installs.installed(snapshot);
    this.#parts.onEvent({ kind: 'snapshot-installed', index, term });
  }
}
