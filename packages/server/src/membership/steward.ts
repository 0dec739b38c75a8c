/**
 * The duties of a leader, done without being asked: rows of members say what those are, removals are finished, learners that have caught up get their vote, and the
 * group's level follows its programs.
 *
 * Invariant: it proposes only while this node leads and everything from before its term is applied, and nothing while a change or another duty is under way. Nobody is ever removed by it.
 */

import { NO_NODE, type NodeId, type NodeStatus } from '@kayadb/raft';

import type { Logger } from '../logger.ts';
import { CatchUp } from './catch-up.ts';
import { ChangeLane } from './change-lane.ts';
import type { GroupAccess } from './group-access.ts';
import { Hearing } from './hearing.ts';
import { viewMembers } from './leader-view.ts';
import { type Duty, listDuties } from './pick-duty.ts';
import { planChange } from './plan-change.ts';
import { stepOf } from './step-of.ts';

export interface StewardOptions {
  readonly access: GroupAccess;
  readonly logger: Logger;
  /** As the Raft node has it. */
  readonly electionTicks: number;
}

/** After a failure, and twice as many after each further one. */
const FIRST_PAUSE_TICKS = 20;
const MAX_PAUSE_TICKS = 200;

export class Steward {
  /** For `GroupMembership` and `handOver` of the same node. */
  readonly hearing: Hearing = new Hearing();
  readonly lane: ChangeLane = new ChangeLane();
  readonly #options: StewardOptions;
  /** Of learners that are to be promoted. */
  readonly #catchUps = new Map<NodeId, CatchUp>();
  #tick = 0;
  #term = 0;
  /** What is up to here was in the log when this node began to lead. */
  #startIndex = 0;
  #pausedUntil = 0;
  #failures = 0;
  #isClosed = false;

  constructor(options: StewardOptions) {
    this.#options = options;
  }

  /** Time goes by: once in a tick of the Raft node. Never throws. */
  tick(): void {
    if (this.#isClosed) return;
    const status = this.#options.access.status();
    this.#tick++;
    this.hearing.tick(status);
    if (!this.#isInOffice(status)) return;
    const promotions = this.#observeLearners(status);
    const { transferTarget, configuration } = status;
    const isBusy = transferTarget !== NO_NODE || configuration.votersOutgoing.length > 0 || !this.lane.isFree;
    if (isBusy || this.#tick < this.#pausedUntil) return;
    const duties = [...this.#listDuties(status), ...promotions];
    // One that fails lets the others come first.
    const duty = duties[this.#failures % duties.length];
    if (duty !== undefined) this.lane.begin(() => this.#carryOut(duty));
  }

  /** Nothing is begun any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.hearing.release();
  }

  #isInOffice({ role, term, lastIndex, appliedIndex, endError }: NodeStatus): boolean {
    if (role !== 'leader' || endError !== undefined) return false;
    if (term !== this.#term) {
      this.#term = term;
      this.#startIndex = lastIndex;
      this.#failures = 0;
      this.#pausedUntil = 0;
      this.#catchUps.clear();
    }
    return appliedIndex >= this.#startIndex;
  }

  #listDuties({ configuration, progress }: NodeStatus): readonly Duty[] {
    const { access } = this.#options;
    return listDuties({
      self: access.self(),
      configuration,
      nodes: [...progress.keys()],
      rows: access.members(),
      met: (node) => (access.isConnected(node) ? access.met(node) : undefined),
      wasRemoved: (node, incarnation) => access.wasRemoved(node, incarnation),
      groupLevel: access.level(),
    });
  }

  /** Those whose directory the group knows, who have shown now that they keep up, and whose vote would not cost the group its quorum. */
  #observeLearners(status: NodeStatus): readonly Duty[] {
    const { configuration, progress, lastIndex } = status;
    const isAnswering = (node: NodeId): boolean => this.hearing.isAnswering(node, status);
    const members = viewMembers(status, isAnswering);
    const rows = this.#options.access.members();
    const isToBePromoted = (node: NodeId): boolean =>
      rows.some((row) => row.node === node && row.isToBePromoted && row.incarnation !== 0) && progress.has(node);
    const learners = configuration.learners.filter(isToBePromoted);
    for (const node of this.#catchUps.keys()) if (!learners.includes(node)) this.#catchUps.delete(node);
    return learners
      .filter((node) => {
        const { match } = progress.get(node)!;
        return this.#catchUpOf(node).observe(this.#tick, { match, lastIndex, isAnswering: isAnswering(node) });
      })
      .filter((node) => planChange(members, { kind: 'promote', node }).refusal === undefined)
      .map((node) => ({ kind: 'promote', node }));
  }

  /** As for a change that somebody asks for, only those count who answer now: one that has just died must not stand for a majority. */
  async #mayPromote(node: NodeId): Promise<boolean> {
    const { access } = this.#options;
    const before = access.status();
    const answering = await this.hearing.round(before);
    const status = access.status();
    if (this.#isClosed || status.role !== 'leader' || status.term !== before.term) return false;
    const members = viewMembers(status, (each) => answering.has(each));
    return answering.has(node) && planChange(members, { kind: 'promote', node }).refusal === undefined;
  }

  #catchUpOf(node: NodeId): CatchUp {
    const known = this.#catchUps.get(node);
    if (known !== undefined) return known;
    const catchUp = new CatchUp(this.#options.electionTicks);
    this.#catchUps.set(node, catchUp);
    return catchUp;
  }

  async #carryOut(duty: Duty): Promise<void> {
    const { access, logger } = this.#options;
    const node = duty.kind === 'put-member' ? duty.member.node : duty.kind === 'raise-level' ? undefined : duty.node;
    const fields = { event: 'group.duty', duty: duty.kind, ...(node !== undefined && { member: node }) };
    try {
      if (duty.kind !== 'promote') await access.propose(duty);
      else if (await this.#mayPromote(duty.node)) await access.proposeConfigChange(stepOf('add-voter', duty.node));
      else return;
      this.#failures = 0;
      logger.info(fields, `done for the group: ${duty.kind}`);
    } catch (error) {
      this.#pausedUntil = this.#tick + Math.min(MAX_PAUSE_TICKS, FIRST_PAUSE_TICKS * 2 ** this.#failures);
      this.#failures++;
      if (!this.#isClosed) logger.warn({ ...fields, err: error }, `not done for the group: ${duty.kind}`);
    }
  }
}
