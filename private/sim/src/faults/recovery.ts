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

/** How a site stays broken: it is off, sends nothing, hears nothing, or its disk never answers. */
const BREAKS = ['off', 'mute', 'deaf', 'stuck'] as const;
type Break = (typeof BREAKS)[number];

/** Longer than any recovery. */
const STUCK_MS = 1e9;

const ELECTION_TIMEOUTS = 10;
/** More than a log is long. */
const RANK_OF_TERM = 2 ** 30;

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
    for (const site of this.#inOrder()) {
      if (site.isFenced || this.#random.chance(0.2)) continue;
      const survives = (id: NodeId): boolean => id !== site.id && this.#isHealthy(id);
      if (configurations.length === 0 || !configurations.every((one) => isQuorum(one, survives))) continue;
      const how = this.#random.pick(BREAKS);
      this.#broken.set(site.id, how);
      this.#world.trace.add(`${site.id} stays ${how}`);
      this.#break(site, how);
    }
  }

  /** Leadership is to go to one who is broken: it must come to nothing. */
  transferInVain(): void {
    const { leader } = this.#cluster;
    const broken = leader?.status.configuration.voters.filter((id) => this.#broken.has(id)) ?? [];
    if (leader === undefined || broken.length === 0 || !this.#random.chance(0.5)) return;
    leader.process.node.transferLeader(this.#random.pick(broken)).catch(() => undefined);
  }

  /** What was left broken works again. */
  end(): void {
    this.#world.network.heal();
    for (const [id, how] of this.#broken) {
      const site = this.#cluster.find(id);
      if (site === undefined || site.isRetired) continue;
      site.disk.heal();
      // Its calls to the disk will not come back.
      if (how === 'stuck') site.crash(true);
      site.switchOn();
    }
    this.#broken.clear();
  }

  /** @returns Who leads: one of the healthy, and a quorum of its configuration is in its term. */
  findLeader(): LeaderView | undefined {
    const { leader } = this.#cluster;
    if (leader === undefined || !this.#isHealthy(leader.site.id)) return undefined;
    const { term, configuration } = leader.status;
    const follows = (id: NodeId): boolean => this.#cluster.find(id)?.process?.node.summary().term === term;
    return isQuorum(configuration, follows) ? leader : undefined;
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

  /** By chance; or those first who could tell the others of their term and of their log, so that a quorum is left that has to do without. */
  #inOrder(): readonly SimSite[] {
    const sites = this.#random.shuffle(this.#cluster.livingSites);
    if (this.#random.chance(0.5)) return sites;
    return sites.toSorted((a, b) => rankOf(b) - rankOf(a));
  }

  #break(site: SimSite, how: Break): void {
    if (how === 'off') {
      site.switchOff();
      return;
    }
    if (how === 'stuck') {
      site.disk.stall(STUCK_MS);
      return;
    }
    for (const { id } of this.#cluster.sites) {
      if (id === site.id) continue;
      if (how === 'mute') this.#world.network.cut(site.id, id);
      else this.#world.network.cut(id, site.id);
    }
  }
}

/** Higher for who knows of a later term, and then for who has the longer log. */
function rankOf({ anyProcess }: SimSite): number {
  const status = anyProcess?.node.summary();
  return status === undefined ? 0 : status.term * RANK_OF_TERM + status.lastIndex;
}
