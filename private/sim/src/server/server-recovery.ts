/** Liveness: when faults end, but for as many members as the group can do without, the others have a leader, do what clients ask, and come to the same rows. */

import type { SeededRandom } from '@kayadb/testkit';

import { isQuorum } from '../checks/quorum.ts';
import { nodesIn } from './members.ts';
import type { ServerCluster } from './server-cluster.ts';
import type { ServerSite } from './server-site.ts';
import type { ServerWorld } from './server-world.ts';

/** How a site stays broken: it is off, or nobody hears it or is heard by it. */
const BREAKS = ['off', 'alone'] as const;
type Break = (typeof BREAKS)[number];

export class ServerRecovery {
  readonly #world: ServerWorld;
  readonly #cluster: ServerCluster;
  readonly #random: SeededRandom;
  readonly #broken = new Map<ServerSite, Break>();

  /** Members that the operator has asked to be removed. */
  readonly #leaving: ReadonlySet<number>;

  constructor(world: ServerWorld, cluster: ServerCluster, leaving: ReadonlySet<number>) {
    this.#leaving = leaving;
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('recovery');
  }

  /** Breaks as many members as the group can do without, or fewer. Requires: everything else was healed in the same event. */
  breakRest(): void {
    const configurations = this.#configurations();
    if (configurations.length === 0) return;
    for (const site of this.#random.shuffle(this.#cluster.sites)) {
      if (site.isLost || this.#random.chance(0.4)) continue;
      const survives = (id: number): boolean => id !== site.id && this.#isHealthy(id) && !this.#leaving.has(id);
      if (!configurations.every((one) => isQuorum(one, survives))) continue;
      const how = this.#random.pick(BREAKS);
      this.#broken.set(site, how);
      this.#world.trace.add(`${site.id} stays ${how}`);
      if (how === 'off') site.switchOff();
      else {
        for (const { id } of this.#cluster.sites) {
          if (id === site.id) continue;
          this.#world.tcp.cut(site.id, id);
          this.#world.tcp.cut(id, site.id);
        }
      }
    }
  }

  /** What was left broken works again. */
  end(): void {
    this.#world.tcp.heal();
    for (const [site, how] of this.#broken) if (how === 'off') site.switchOn();
    this.#broken.clear();
  }

  /** @returns Who leads: one of the healthy, and a quorum of its configuration is in its term. */
  findLeader(): ServerSite | undefined {
    const { leader } = this.#cluster;
    const node = leader?.process?.group.member?.node;
    if (leader === undefined || node === undefined || !this.#isHealthy(leader.id)) return undefined;
    const { term, configuration } = node.summary();
    const follows = (id: number): boolean => this.#termOf(id) === term;
    return isQuorum(configuration, follows) ? leader : undefined;
  }

  /** @returns What is not as it should be; undefined when the healthy members have applied everything. */
  findLaggard(): string | undefined {
    const leader = this.findLeader();
    const node = leader?.process?.group.member?.node;
    if (node === undefined) return 'nobody leads';
    const { commit, lastIndex, configuration } = node.summary();
    if (commit !== lastIndex) return `${lastIndex - commit} entries are not committed`;
    for (const id of nodesIn(configuration)) {
      const site = this.#cluster.find(id);
      if (site === undefined || !this.#isHealthy(id)) continue;
      const applied = site.process?.group.member?.machine.appliedIndex;
      if (applied !== commit) return `node ${id} has applied ${applied} of ${commit}`;
    }
    return undefined;
  }

  /** Members that are to have the same rows. */
  get healthy(): readonly ServerSite[] {
    return this.#cluster.sites.filter(({ id }) => this.#isHealthy(id));
  }

  /** In force at one of the members, as it sees it, and those that may come next: a learner's promotion may stand in a log already. */
  #configurations() {
    return this.#cluster.sites.flatMap((site) => {
      const node = site.anyProcess?.group.member?.node;
      const configuration = node?.summary().configuration;
      if (configuration === undefined || configuration.voters.length === 0) return [];
      const { voters, learners } = configuration;
      return [configuration, ...learners.map((learner) => ({ ...configuration, voters: [...voters, learner] }))];
    });
  }

  #termOf(id: number): number | undefined {
    return this.#cluster.find(id)?.process?.group.member?.node.summary().term;
  }

  #isHealthy(id: number): boolean {
    const site = this.#cluster.find(id);
    return site !== undefined && !site.isLost && !this.#broken.has(site);
  }
}
