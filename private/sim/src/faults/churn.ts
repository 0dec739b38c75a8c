/**
 * The operator: adds sites, promotes, demotes and removes them, through joint configurations or not, and replaces whoever has lost its directory by a
 * new site under a new id.
 *
 * Invariant: nothing is proposed after which those that still keep their promises would be no quorum.
 */

import { type ConfigChange, type ConfigStep, type Configuration, type NodeId, RaftError } from '@kayadb/raft';
import { changeMembership } from '@kayadb/raft/testing';
import type { SeededRandom } from '@kayadb/testkit';

import { isQuorum } from '../checks/quorum.ts';
import { type Cluster, type LeaderView, membersOf } from '../cluster.ts';
import type { SimWorld } from '../sim-world.ts';
import { drawInterval } from '../world/profile.ts';

const MAX_SITES = 8;
const MAX_VOTERS = 5;
const NO_CONTEXT = new Uint8Array(0);
/** How soon somebody looks after a member that has lost its directory. */
const REPAIR_MS = 1500;

export class Churn {
  readonly #world: SimWorld;
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  /** Counts the times that it was started or stopped: what was planned before does not happen any more. */
  #round = 0;

  constructor(world: SimWorld, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('churn');
  }

  start(): void {
    this.#round++;
    this.#repeat(this.#world.profile.churnMs, (leader) => this.#change(leader));
    this.#repeat(REPAIR_MS, (leader) => this.#repair(leader));
  }

  stop(): void {
    this.#round++;
  }

  /** A change that is under way when the faults end: of whoever leads, if that can be. */
  changeAtLast(): void {
    const { leader } = this.#cluster;
    if (leader === undefined) return;
    const { voters, votersOutgoing } = leader.status.configuration;
    if (votersOutgoing.length > 0) this.#leaveJoint(leader);
    else if (voters.length > 1 && this.#random.chance(0.6)) {
      this.#propose(leader, 'auto', [{ kind: 'remove', node: leader.site.id }]);
    } else this.#swap(leader);
  }

  #repeat(meanMs: number, act: (leader: LeaderView) => void): void {
    const round = this.#round;
    this.#world.timeline.after(drawInterval(meanMs, this.#random), () => {
      if (round !== this.#round) return;
      const { leader } = this.#cluster;
      if (leader !== undefined) act(leader);
      this.#repeat(meanMs, act);
    });
  }

  #repair(leader: LeaderView): void {
    const { configuration } = leader.status;
    const lost = this.#cluster.livingSites.filter(({ isFenced }) => isFenced);
    const members = membersOf(configuration);
    for (const site of lost) if (!members.includes(site.id)) site.retire();
    const victim = lost.find(({ id }) => members.includes(id));
    if (victim === undefined) return;
    if (configuration.votersOutgoing.length > 0) this.#leaveJoint(leader);
    else this.#propose(leader, 'auto', [{ kind: 'remove', node: victim.id }]);
  }

  #change(leader: LeaderView): void {
    const { configuration } = leader.status;
    if (configuration.votersOutgoing.length > 0) {
      this.#leaveJoint(leader);
      return;
    }
    if (this.#random.chance(this.#world.profile.swaps)) {
      this.#swap(leader);
      return;
    }
    const count = this.#random.pick([1, 1, 1, 2, 3]);
    const steps: ConfigStep[] = [];
    for (let i = 0; i < count; i++) {
      const step = this.#pickStep(configuration);
      if (step !== undefined && !steps.some(({ node }) => node === step.node)) steps.push(step);
    }
    const transition = this.#random.pick(['auto', 'auto', 'implicit', 'explicit'] as const);
    if (steps.length > 0) this.#propose(leader, transition, steps);
  }

  /** Learners, who have caught up by now, take the place of most voters at once, so that halves have little in common; or they are called in first. */
  #swap(leader: LeaderView): void {
    const { voters, learners } = leader.status.configuration;
    const count = Math.max(1, Math.floor(voters.length / 2) + this.#random.int(2));
    if (learners.length >= Math.min(count, 2)) {
      const incoming = this.#random.shuffle(learners).slice(0, count);
      const outgoing = this.#random.shuffle(voters).slice(0, incoming.length);
      const steps: readonly ConfigStep[] = [
        ...incoming.map((node) => ({ kind: 'add-voter', node }) as const),
        ...outgoing.map((node) => ({ kind: 'remove', node }) as const),
      ];
      this.#world.counts.swaps++;
      this.#propose(leader, this.#random.pick(['implicit', 'explicit'] as const), steps);
      return;
    }
    const steps: ConfigStep[] = [];
    for (let i = learners.length; i < count; i++) {
      const node = this.#outside([...voters, ...learners, ...steps.map((step) => step.node)]);
      if (node !== undefined) steps.push({ kind: 'add-learner', node });
    }
    if (steps.length > 0) this.#propose(leader, 'auto', steps);
  }

  #leaveJoint(leader: LeaderView): void {
    if (!leader.status.configuration.autoLeave) this.#propose(leader, 'auto', []);
  }

  #pickStep({ voters, learners }: Configuration): ConfigStep | undefined {
    const random = this.#random;
    const outside = this.#outside([...voters, ...learners]);
    const dice = random.int(10);
    if (dice < 3 && learners.length > 0 && voters.length < MAX_VOTERS) {
      return { kind: 'add-voter', node: random.pick(learners) };
    }
    if (dice < 6 && outside !== undefined) {
      return { kind: voters.length < MAX_VOTERS && random.chance(0.4) ? 'add-voter' : 'add-learner', node: outside };
    }
    if (dice < 8 && voters.length > 1) {
      return { kind: random.chance(0.3) ? 'add-learner' : 'remove', node: random.pick(voters) };
    }
    return learners.length > 0 ? { kind: 'remove', node: random.pick(learners) } : undefined;
  }

  /** A site that is not in the group: one that was removed, with all it remembers, or a new one. */
  #outside(members: readonly NodeId[]): NodeId | undefined {
    const sites = this.#cluster.livingSites;
    const free = sites.filter(({ id, isFenced }) => !isFenced && !members.includes(id));
    if (free.length > 0 && this.#random.chance(0.7)) return this.#random.pick(free).id;
    return sites.length < MAX_SITES ? this.#cluster.add().id : undefined;
  }

  #propose(
    { site, process, status }: LeaderView,
    transition: ConfigChange['transition'],
    steps: readonly ConfigStep[],
  ): void {
    const change: ConfigChange = { transition, steps, context: NO_CONTEXT };
    const membership = changeMembership(status.configuration, change);
    if (membership.kind === 'refused' || !isQuorum(membership.configuration, (id) => this.#keepsPromises(id))) return;
    const decide = this.#cluster.expect(membership.configuration);
    const words = steps.map(({ kind, node }) => `${kind} ${node}`).join(', ');
    this.#world.trace.add(`${site.id} is to change the group (${transition}): ${words === '' ? 'leave joint' : words}`);
    process.node.proposeConfigChange(change).then(
      () => decide('done'),
      (error: unknown) => {
        const isUnknown = error instanceof RaftError && error.code === 'KAYA_RAFT_UNKNOWN_OUTCOME';
        if (!isUnknown) decide('not-done');
      },
    );
  }

  #keepsPromises(id: NodeId): boolean {
    const site = this.#cluster.find(id);
    return site !== undefined && !site.isFenced && !site.isRetired;
  }
}
