/** Who reaches whom: the ways in which a network falls apart. */

import type { NodeId } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import type { Cluster } from '../cluster.ts';
import type { SimSite } from '../node/sim-site.ts';
import type { SimWorld } from '../sim-world.ts';
import { drawFrom } from '../world/profile.ts';

/**
 * - `isolate`: the victim reaches nobody, and nobody reaches it.
 * - `one-way`: it hears and is not heard, or the other way round.
 * - `split`: links are cut by chance, so that some nodes reach others only by way of a third.
 * - `bridge`: two sides, and the victim alone reaches both.
 * - `by-configuration`: those in whom the same configuration is in force as in the victim, and the rest.
 */
export type PartitionKind = 'isolate' | 'one-way' | 'split' | 'bridge' | 'by-configuration';

const PARTITION_MS = { from: 500, to: 6000 };
const SPLIT_SHARE = 0.35;

export class Partitions {
  readonly #world: SimWorld;
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;

  constructor(world: SimWorld, cluster: Cluster, random: SeededRandom) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = random;
  }

  /**
   * @param direction - Of `one-way`: frames from the victim are lost (`away`), or those to it; by chance when it is not said.
   * @returns After how many milliseconds it is to end.
   */
  begin(kind: PartitionKind, victim: SimSite, direction?: 'away' | 'towards'): number {
    const { network, counts } = this.#world;
    counts.partitions++;
    const ids = this.#cluster.livingSites.map(({ id }) => id);
    const isCut = this.#cutOf(kind, victim, ids, direction ?? (this.#random.chance(0.6) ? 'away' : 'towards'));
    for (const from of ids) {
      for (const to of ids) if (from !== to && isCut(from, to)) network.cut(from, to);
    }
    return drawFrom(PARTITION_MS, this.#random);
  }

  #cutOf(
    kind: PartitionKind,
    victim: SimSite,
    ids: readonly NodeId[],
    direction: 'away' | 'towards',
  ): (from: NodeId, to: NodeId) => boolean {
    switch (kind) {
      case 'isolate':
        return (from, to) => from === victim.id || to === victim.id;
      case 'one-way':
        return (from, to) => (direction === 'away' ? from : to) === victim.id;
      case 'split':
        return () => this.#random.chance(SPLIT_SHARE);
      case 'bridge': {
        const side = new Set(ids.filter(() => this.#random.chance(0.5)));
        return (from, to) => from !== victim.id && to !== victim.id && side.has(from) !== side.has(to);
      }
      case 'by-configuration': {
        const side = new Set(ids.filter((id) => this.#isAsFarAs(victim, id)));
        return (from, to) => side.has(from) !== side.has(to);
      }
    }
  }

  #isAsFarAs(victim: SimSite, id: NodeId): boolean {
    const other = this.#cluster.find(id);
    return other !== undefined && this.#cluster.wordsAt(other) === this.#cluster.wordsAt(victim);
  }
}
