/**
 * The operator: adds nodes, promotes and removes them, hands leadership over, and replaces whoever has lost its directory, by the same operations as `kayactl`.
 *
 * Invariant: a node is given an empty directory only when the group has said that it was removed; nothing is asked for after which those that still keep their promises would be no quorum.
 */

import { type Group, ReplicaError } from '@kayadb/server/testing';
import type { SeededRandom } from '@kayadb/testkit';

import { isQuorum } from '../checks/quorum.ts';
import { drawInterval } from '../world/profile.ts';
import { ClientRoad } from './client-road.ts';
import { nodesIn } from './members.ts';
import type { ServerCluster } from './server-cluster.ts';
import type { ServerSite } from './server-site.ts';
import type { ServerWorld } from './server-world.ts';
import { hostOf, PEER_PORT } from './sim-tcp.ts';

const MAX_SITES = 5;
const MAX_VOTERS = 5;
const CALL_MS = 8000;
/** How soon somebody looks after a member that has lost its directory. */
const REPAIR_MS = 1500;
const CLIENT_PORT = 7379;

type Ask<T> = (group: Group) => Promise<T>;

export class ServerOperator {
  readonly #world: ServerWorld;
  readonly #cluster: ServerCluster;
  readonly #random: SeededRandom;
  readonly #road: ClientRoad;
  /** Sites that are to be removed until that is known to be done. */
  readonly #leaving = new Set<number>();
  /** Sites that are to be added until they are members. */
  readonly #joining = new Set<number>();
  #isChanging = false;

  constructor(world: ServerWorld, cluster: ServerCluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('operator');
    this.#road = new ClientRoad(world, this.#random.fork('road'));
  }

  /** Sites that are to be removed, or may be. */
  get leaving(): ReadonlySet<number> {
    return this.#leaving;
  }

  start(): void {
    this.#repeat(REPAIR_MS, (leader) => this.#repair(leader));
    this.#repeat(this.#world.profile.churnMs, (leader) => (this.#isChanging ? this.#change(leader) : undefined));
  }

  /** Whether the group changes without need. */
  setChanging(isChanging: boolean): void {
    this.#isChanging = isChanging;
  }

  /** One after the other, for ever. */
  #repeat(meanMs: number, act: (leader: ServerSite) => Promise<void> | undefined): void {
    const later = (): void => {
      this.#world.timeline.after(drawInterval(meanMs, this.#random), () => {
        const { leader } = this.#cluster;
        const acting = leader === undefined ? undefined : act(leader);
        if (acting === undefined) later();
        else void acting.then(later);
      });
    };
    later();
  }

  async #repair(leader: ServerSite): Promise<void> {
    const lost = this.#cluster.sites.filter(({ id, isLost }) => isLost && !this.#joining.has(id));
    for (const { id } of lost) this.#leaving.add(id);
    const victim = smallest(this.#leaving);
    if (victim !== undefined) await this.#remove(leader, victim);
    const newcomer = smallest(this.#joining);
    if (newcomer !== undefined) await this.#add(leader, newcomer);
  }

  async #change(leader: ServerSite): Promise<void> {
    const configuration = leader.process?.group.member?.node.summary().configuration;
    if (configuration === undefined || this.#leaving.size + this.#joining.size > 0) return;
    const { voters, learners } = configuration;
    const random = this.#random;
    const dice = random.int(10);
    if (dice < 2 && learners.length > 0 && voters.length < MAX_VOTERS) {
      const node = random.pick(learners);
      await this.#ask(leader, `promote ${node}`, ({ membership }) => membership.promote(node, { isDryRun: false }));
    } else if (dice < 5 && this.#cluster.sites.length < MAX_SITES && voters.length < MAX_VOTERS) {
      const ids = this.#cluster.sites.map(({ id }) => id);
      const id = Math.max(...ids) + 1;
      this.#cluster.add(id, ids, true);
      this.#joining.add(id);
      await this.#add(leader, id);
    } else if (dice < 8) {
      const victim = random.pick(nodesIn(configuration));
      const remains = (id: number): boolean => id !== victim && this.#cluster.find(id)?.isLost === false;
      if (voters.length < 2 || !isQuorum(configuration, remains)) return;
      this.#leaving.add(victim);
      await this.#remove(leader, victim);
    } else {
      const node = random.chance(0.5) ? 0 : random.pick(voters);
      this.#world.counts.transfers++;
      await this.#ask(leader, `transfer to ${node}`, ({ membership }) => membership.transfer(node));
    }
  }

  /** Once more until the group says that it is done; then the site begins anew. */
  async #remove(leader: ServerSite, id: number): Promise<void> {
    const site = this.#cluster.find(id)!;
    site.expectRemoval();
    const removed = await this.#ask(leader, `remove ${id}`, ({ membership }) =>
      membership.remove(id, { isDryRun: false }),
    );
    if (removed === undefined) return;
    const isDone =
      removed.plan.refusal === undefined || (await this.#ask(leader, `look for ${id}`, isGone(id))) === true;
    if (!isDone) return;
    this.#leaving.delete(id);
    if (!this.#world.profile.replaces) {
      site.switchOff();
      return;
    }
    this.#joining.add(id);
    site.rejoin(this.#cluster.sites.map((other) => other.id));
  }

  async #add(leader: ServerSite, id: number): Promise<void> {
    const member = {
      node: id,
      peerAddress: `${hostOf(id)}:${PEER_PORT}`,
      clientAddress: `${hostOf(id)}:${CLIENT_PORT}`,
      staysLearner: this.#random.chance(0.2),
    };
    const added = await this.#ask(leader, `add ${id}`, ({ membership }) => membership.add(member, { isDryRun: false }));
    if (added === undefined) return;
    const isDone =
      added.plan.refusal === undefined || (await this.#ask(leader, `look for ${id}`, isGone(id))) === false;
    if (isDone) this.#joining.delete(id);
  }

  /** @returns What it came to; undefined when it was refused, or nobody knows. */
  async #ask<T>(site: ServerSite, what: string, ask: Ask<T>): Promise<T | undefined> {
    const { trace, counts, checks } = this.#world;
    try {
      const outcome = await this.#road.call(site, CALL_MS, ask);
      trace.add(`${site.id} is asked to ${what}: done`);
      counts.changes++;
      return outcome;
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      const code = error instanceof Error && 'code' in error ? String(error.code) : name;
      trace.add(`${site.id} is asked to ${what}: ${code}`);
      const isKnown = error instanceof ReplicaError || name === 'LostError' || code === 'KAYA_MEMBERSHIP_REFUSED';
      if (!isKnown) checks.fail('clients', `the operator was told ${String(error)}`);
      return undefined;
    }
  }
}

/** Whether the group, as it is now, knows nothing of the node. */
function isGone(id: number): Ask<boolean> {
  return ({ replica, member }) =>
    replica.read({ kind: 'linearizable' }, async () => {
      if (member === undefined) throw new ReplicaError('KAYA_STOPPING', 'the node has ended');
      const isMember = nodesIn(member.node.summary().configuration).includes(id);
      return !isMember && !member.machine.members.some(({ node }) => node === id);
    });
}

function smallest(ids: ReadonlySet<number>): number | undefined {
  return ids.size === 0 ? undefined : Math.min(...ids);
}
