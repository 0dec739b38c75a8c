/** What goes wrong, and when: one fault after the other from those that the profile allows, each of which ends by itself. */

import type { SeededRandom } from '@kayadb/testkit';

import { isQuorum } from '../checks/quorum.ts';
import type { Cluster } from '../cluster.ts';
import type { SimSite } from '../node/sim-site.ts';
import type { SimWorld } from '../sim-world.ts';
import { drawFrom, drawInterval, type FaultName } from '../world/profile.ts';
import { Partitions } from './partitions.ts';

const PAUSE_MS = { from: 50, to: 5000 };
const DISK_MS = { from: 200, to: 4000 };
const APPLY_MS = { from: 300, to: 5000 };
/** After a change came into force somewhere: before others hear of it, or when another one may have followed. */
const CHANGE_MS = { from: 0, to: 100 };
const SECOND_CHANGE_MS = { from: 200, to: 3000 };
/** How long answers to a leader come later and later, until nobody hears it any more. */
const FAR_MS = { from: 2000, to: 7000 };
/** How long somebody is kept from applying a change. */
const BEHIND_MS = { from: 1000, to: 6000 };
const ROOM_BYTES = 4000;
const BACKUP_SHARE = 0.2;
/** Share of faults that hit whoever leads. */
const AT_LEADER = 0.4;

export class Nemesis {
  readonly #world: SimWorld;
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  readonly #partitions: Partitions;
  /** Counts the times that it was started or stopped: what was planned before does not happen any more. */
  #round = 0;
  #isOver = true;

  constructor(world: SimWorld, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('nemesis');
    this.#partitions = new Partitions(world, cluster, this.#random.fork('partitions'));
    cluster.watchSwitches((site) => this.#configurationSwitched(site));
  }

  start(): void {
    this.#round++;
    this.#isOver = false;
    this.#world.mood.isCalm = false;
    this.#planNext();
  }

  /** No fault begins any more, and those that go on end. */
  stop(): void {
    this.#round++;
    this.#isOver = true;
    this.#world.mood.isCalm = true;
    this.#world.network.heal();
    for (const site of this.#cluster.livingSites) {
      if (site.disk.owesError) site.crash(true);
      site.disk.heal();
      site.stallApply(0);
      site.resume();
      site.start();
    }
  }

  #planNext(): void {
    const { profile } = this.#world;
    this.#later(drawInterval(profile.faultMs, this.#random), () => {
      const site = this.#pickSite();
      if (site !== undefined) this.#strike(this.#random.pick(profile.faults), site);
      this.#planNext();
    });
  }

  /** Not when it was stopped meanwhile. */
  #later(delayMs: number, act: () => void): void {
    const round = this.#round;
    this.#world.timeline.after(delayMs, () => {
      if (round === this.#round) act();
    });
  }

  #pickSite(): SimSite | undefined {
    const sites = this.#cluster.livingSites;
    const { leader } = this.#cluster;
    if (leader !== undefined && this.#random.chance(AT_LEADER)) return leader.site;
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
      case 'bridge':
        this.#healLater(this.#partitions.begin(fault, site));
        break;
      case 'stale-leader':
        this.#loseLeader();
        break;
      case 'slow-apply':
        this.#stallApply(site);
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
      case 'lossy-transfer':
        this.#transfer(fault === 'lossy-transfer');
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
    this.#later(drawFrom(PAUSE_MS, this.#random), () => site.resume());
  }

  #healLater(afterMs: number): void {
    this.#later(afterMs, () => this.#world.network.heal());
  }

  /** Answers to the leader are long on their way, and then nobody hears it any more. */
  #loseLeader(): void {
    const { leader } = this.#cluster;
    if (leader === undefined) return;
    this.#world.counts.staleLeaders++;
    this.#world.network.moveAway(leader.site.id);
    this.#later(drawFrom(FAR_MS, this.#random), () => {
      this.#healLater(this.#partitions.begin('one-way', leader.site, 'away'));
    });
  }

  #stallApply(site: SimSite, span = APPLY_MS): void {
    this.#world.counts.applyStalls++;
    site.stallApply(drawFrom(span, this.#random));
  }

  /** Those who are behind may be kept so, until the group has changed again. */
  #configurationSwitched(site: SimSite): void {
    const { profile, counts } = this.#world;
    if (this.#isOver || !this.#random.chance(profile.changeCuts)) return;
    counts.changeCuts++;
    const keepsBehind = this.#random.chance(0.5);
    if (keepsBehind) {
      for (const other of this.#cluster.livingSites) {
        // The site that told of it is seen as it was before.
        const isBehind = this.#cluster.wordsAt(other) === this.#cluster.wordsAt(site);
        if (other !== site && isBehind && this.#random.chance(0.7)) this.#stallApply(other, BEHIND_MS);
      }
    }
    this.#later(drawFrom(keepsBehind ? SECOND_CHANGE_MS : CHANGE_MS, this.#random), () => {
      const { leader } = this.#cluster;
      this.#healLater(this.#partitions.begin('by-configuration', site));
      if (leader === undefined || this.#random.chance(0.4)) return;
      if (this.#random.chance(0.5)) this.#pause(leader.site);
      else this.#crash(leader.site, this.#random.chance(0.5));
    });
  }

  #breakDisk(fault: 'disk-full' | 'disk-stall' | 'disk-failure', site: SimSite): void {
    this.#world.counts.diskFaults++;
    const { disk } = site;
    const forMs = drawFrom(DISK_MS, this.#random);
    if (fault === 'disk-stall') disk.stall(forMs);
    else if (fault === 'disk-full') {
      void disk.fill(this.#random.int(ROOM_BYTES));
      this.#later(forMs, () => disk.empty());
    } else if (this.#random.chance(0.3)) disk.failNextWriteBack();
    else disk.failNextSync(this.#random.pick(['dropped', 'clean'] as const));
  }

  /** Only where the group can do without it, or nobody could ever lead again. */
  #lose(fault: 'wipe' | 'rollback', site: SimSite): void {
    const { leader } = this.#cluster;
    if (leader === undefined || site.isFenced) return;
    const survives = (id: number): boolean => {
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

  /** @param isLossy - Whether the one who is to lead does not hear of it, or stands still. */
  #transfer(isLossy: boolean): void {
    const { leader } = this.#cluster;
    if (leader === undefined) return;
    const target = this.#random.pick(leader.status.configuration.voters);
    this.#world.counts.transfers++;
    leader.process.node.transferLeader(target).catch(() => undefined);
    const site = this.#cluster.find(target);
    if (!isLossy || site === undefined || site === leader.site) return;
    if (this.#random.chance(0.5)) this.#pause(site);
    else this.#healLater(this.#partitions.begin('isolate', site));
  }
}
