/**
 * Liveness: when faults stop for one quorum and go on for the rest, that quorum has a leader within ten election timeouts, takes proposals, and its replicas
 * become equal.
 */

import type { NodeId } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import { isQuorum } from '../checks/quorum.ts';
import { type Cluster, type LeaderView, membersOf } from '../cluster.ts';
import type { SimSite } from '../node/sim-site.ts';
import type { SimWorld } from '../sim-world.ts';

/** How a site stays broken: it is off, sends nothing, or hears nothing. */
type Break = 'off' | 'mute' | 'deaf';

const ELECTION_TIMEOUTS = 10;

export class Recovery {
  readonly #world: SimWorld;
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  readonly #broken = new Map<NodeId, Break>();

  constructor(world: SimWorld, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('recovery');
  }

  get brokenCount(): number {
    return this.#broken.size;
  }

  /** How long a leader may take, by the slowest clock. */
  get leaderMs(): number {
    const { limits, drift } = this.#world.profile;
    return (ELECTION_TIMEOUTS * limits.tickMs * limits.electionTicks) / (1 - drift);
  }

  /** Breaks as many members as the group can do without, or fewer. Requires: everything else was healed in the same event. */
  breakRest(): void {
    const { configurations } = this.#cluster;
    for (const site of this.#random.shuffle(this.#cluster.livingSites)) {
      if (site.isFenced || this.#random.chance(0.2)) continue;
      const survives = (id: NodeId): boolean => id !== site.id && this.#isHealthy(id);
      if (configurations.length === 0 || !configurations.every((one) => isQuorum(one, survives))) continue;
      const how = this.#random.pick(['off', 'mute', 'deaf'] as const);
      this.#broken.set(site.id, how);
      this.#world.trace.add(`${site.id} stays ${how}`);
      this.#break(site, how);
    }
  }

  /** @returns Who leads the quorum, once it has committed something of its own term. */
  findLeader(): LeaderView | undefined {
    const { leader } = this.#cluster;
    if (leader === undefined || !this.#isHealthy(leader.site.id)) return undefined;
    const { commit, term } = leader.status;
    return leader.process.storage.term(commit) === term ? leader : undefined;
  }

  /** @returns What is not as it should be; undefined when the healthy members are equal. */
  findDifference(): string | undefined {
    const leader = this.findLeader();
    if (leader === undefined) return 'nobody leads';
    const { commit, configuration, lastIndex } = leader.status;
    if (commit !== lastIndex) return `${lastIndex - commit} entries are not committed`;
    const { hash } = leader.process.machine.state;
    for (const id of membersOf(configuration)) {
      if (!this.#isHealthy(id)) continue;
      const state = this.#cluster.find(id)?.process?.machine.state;
      if (state?.index !== commit) return `node ${id} has applied ${state?.index} of ${commit}`;
      if (state.hash !== hash) return `node ${id} has another state at ${commit}`;
    }
    return undefined;
  }

  #isHealthy(id: NodeId): boolean {
    const site = this.#cluster.find(id);
    return site !== undefined && !site.isFenced && !site.isRetired && !this.#broken.has(id);
  }

  #break(site: SimSite, how: Break): void {
    if (how === 'off') {
      site.retire();
      return;
    }
    for (const { id } of this.#cluster.sites) {
      if (id === site.id) continue;
      if (how === 'mute') this.#world.network.cut(site.id, id);
      else this.#world.network.cut(id, site.id);
    }
  }
}
