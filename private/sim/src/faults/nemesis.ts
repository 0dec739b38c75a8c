/** What goes wrong, and when: one fault after the other from those that the profile allows, each of which ends by itself. */

import type { NodeId } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import { isQuorum } from '../checks/quorum.ts';
import type { Cluster } from '../cluster.ts';
import type { SimSite } from '../node/sim-site.ts';
import type { SimWorld } from '../sim-world.ts';
import { drawFrom, drawInterval, type FaultName } from '../world/profile.ts';

const PAUSE_MS = { from: 50, to: 5000 };
const PARTITION_MS = { from: 500, to: 6000 };
const DISK_MS = { from: 200, to: 4000 };
const ROOM_BYTES = 4000;
const BACKUP_SHARE = 0.2;

export class Nemesis {
  readonly #world: SimWorld;
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  #isOver = false;

  constructor(world: SimWorld, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('nemesis');
  }

  start(): void {
    const { timeline, profile } = this.#world;
    timeline.after(drawInterval(profile.faultMs, this.#random), () => {
      if (this.#isOver) return;
      const site = this.#pickSite();
      if (site !== undefined) this.#strike(this.#random.pick(profile.faults), site);
      this.start();
    });
  }

  /** No fault begins any more, and those that go on end. */
  stop(): void {
    this.#isOver = true;
    this.#world.mood.isCalm = true;
    this.#world.network.heal();
    for (const site of this.#cluster.livingSites) {
      site.disk.heal();
      site.resume();
      site.start();
    }
  }

  #pickSite(): SimSite | undefined {
    const sites = this.#cluster.livingSites;
    const { leader } = this.#cluster;
    if (leader !== undefined && this.#random.chance(0.4)) return leader.site;
    return sites.length === 0 ? undefined : this.#random.pick(sites);
  }

  #strike(fault: FaultName, site: SimSite): void {
    this.#world.trace.add(`fault ${fault} at ${site.id}`);
    if (this.#random.chance(BACKUP_SHARE)) site.disk.backUp();
    switch (fault) {
      case 'crash':
        this.#crash(site, this.#random.chance(0.7));
        break;
      case 'crash-in-sync':
        site.disk.duringNextSync(() => this.#crash(site, true));
        break;
      case 'blackout':
        for (const one of this.#cluster.livingSites) this.#crash(one, true);
        break;
      case 'pause':
        this.#pause(site);
        break;
      case 'isolate':
      case 'one-way':
      case 'split':
        this.#partition(fault, site);
        break;
      case 'disk-full':
      case 'disk-stall':
      case 'disk-failure':
        this.#breakDisk(fault, site);
        break;
      case 'wipe':
      case 'rollback':
        this.#lose(fault, site);
        break;
      case 'transfer':
        this.#transfer();
        break;
      default:
    }
  }

  #crash(site: SimSite, isPowerLoss: boolean): void {
    if (!site.isUp) return;
    site.crash(isPowerLoss);
    site.restartLater();
  }

  #pause(site: SimSite): void {
    this.#world.counts.pauses++;
    site.pause();
    this.#world.timeline.after(drawFrom(PAUSE_MS, this.#random), () => site.resume());
  }

  #partition(fault: 'isolate' | 'one-way' | 'split', site: SimSite): void {
    const { network, timeline, counts } = this.#world;
    counts.partitions++;
    const ids = this.#cluster.livingSites.map(({ id }) => id);
    for (const from of ids) {
      for (const to of ids) if (from !== to && this.#isCut(fault, site.id, from, to)) network.cut(from, to);
    }
    timeline.after(drawFrom(PARTITION_MS, this.#random), () => {
      if (!this.#isOver) network.heal();
    });
  }

  /** `split` cuts links by chance, so that some nodes reach others only by way of a third. */
  #isCut(fault: 'isolate' | 'one-way' | 'split', victim: NodeId, from: NodeId, to: NodeId): boolean {
    if (fault === 'split') return this.#random.chance(0.35);
    return from === victim || (fault === 'isolate' && to === victim);
  }

  #breakDisk(fault: 'disk-full' | 'disk-stall' | 'disk-failure', site: SimSite): void {
    const { timeline, counts } = this.#world;
    counts.diskFaults++;
    const { disk } = site;
    const forMs = drawFrom(DISK_MS, this.#random);
    if (fault === 'disk-stall') disk.stall(forMs);
    else if (fault === 'disk-full') {
      void disk.fill(this.#random.int(ROOM_BYTES));
      timeline.after(forMs, () => disk.empty());
    } else if (this.#random.chance(0.3)) disk.failNextWriteBack();
    else disk.failNextSync(this.#random.pick(['dropped', 'clean'] as const));
  }

  /** Only where the group can do without it, or nobody could ever lead again. */
  #lose(fault: 'wipe' | 'rollback', site: SimSite): void {
    const { leader } = this.#cluster;
    if (leader === undefined || site.isFenced) return;
    const survives = (id: NodeId): boolean => {
      const other = this.#cluster.find(id);
      return id !== site.id && other?.isFenced === false && !other.isRetired;
    };
    if (!this.#cluster.configurations.every((configuration) => isQuorum(configuration, survives))) return;
    const { counts } = this.#world;
    if (fault === 'wipe') {
      site.wipe();
      counts.wipes++;
    } else if (site.rollBack()) counts.rollbacks++;
    site.restartLater();
  }

  #transfer(): void {
    const { leader } = this.#cluster;
    if (leader === undefined) return;
    const { voters } = leader.status.configuration;
    this.#world.counts.transfers++;
    leader.process.node.transferLeader(this.#random.pick(voters)).catch(() => undefined);
  }
}
