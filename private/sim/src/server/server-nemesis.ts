/** What goes wrong with whole servers, and when: one fault after the other from those that the profile allows, each of which ends by itself. */

import type { SeededRandom } from '@kayadb/testkit';

import { isQuorum } from '../checks/quorum.ts';
import { drawFrom, drawInterval } from '../world/profile.ts';
import type { ServerCluster } from './server-cluster.ts';
import type { ServerFault } from './server-profile.ts';
import type { ServerSite } from './server-site.ts';
import type { ServerWorld } from './server-world.ts';

const PAUSE_MS = { from: 50, to: 5000 };
const DISK_MS = { from: 200, to: 4000 };
const PARTITION_MS = { from: 500, to: 6000 };
const SLOW_MS = { from: 20, to: 400 };
const JUMP_MS = 300_000;
const ROOM_BYTES = 4000;
/** Share of faults that hit whoever leads. */
const AT_LEADER = 0.45;
/** In which folders get their names. */
const FOLDERS = /\/groups\/0(\/snapshots)?$/;
/** Share of power losses in a sync that wait for one of these. */
const AT_FOLDERS = 0.5;

export class ServerNemesis {
  readonly #world: ServerWorld;
  readonly #cluster: ServerCluster;
  readonly #random: SeededRandom;
  /** Counts the times that it was started or stopped: what was planned before does not happen any more. */
  #round = 0;

  constructor(world: ServerWorld, cluster: ServerCluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('nemesis');
  }

  start(): void {
    this.#round++;
    this.#planNext();
  }

  /** No fault begins any more, and those that go on end. */
  stop(): void {
    this.#round++;
    this.#world.tcp.heal();
    for (const site of this.#cluster.sites) {
      if (site.disk.owesError) site.crash(true);
      site.disk.heal();
      site.resume();
      site.start();
    }
  }

  #planNext(): void {
    const { profile } = this.#world;
    this.#later(drawInterval(profile.faultMs, this.#random), () => {
      this.#strike(this.#random.pick(profile.faults), this.#pickSite());
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

  #pickSite(): ServerSite {
    const { leader, sites } = this.#cluster;
    if (leader !== undefined && this.#random.chance(AT_LEADER)) return leader;
    return this.#random.pick(sites);
  }

  #strike(fault: ServerFault, site: ServerSite): void {
    this.#world.trace.add(`fault ${fault} at ${site.id}`);
    switch (fault) {
      case 'kill':
        this.#crash(site, false);
        break;
      case 'power-loss':
        this.#crash(site, true);
        break;
      case 'power-loss-in-sync':
        this.#losePowerInSync(site);
        break;
      case 'blackout':
        for (const one of this.#cluster.sites) this.#crash(one, true);
        break;
      case 'stop':
        site.stop();
        break;
      case 'pause':
        this.#world.counts.pauses++;
        site.pause();
        this.#later(drawFrom(PAUSE_MS, this.#random), () => site.resume());
        break;
      case 'isolate':
      case 'one-way':
      case 'hold':
      case 'cut':
      case 'slow-links':
        this.#breakLinks(fault, site);
        break;
      case 'clock-jump':
        this.#world.counts.clockJumps++;
        site.jumpClock(Math.floor((this.#random.next() * 2 - 1) * JUMP_MS));
        break;
      case 'disk-full':
      case 'disk-stall':
      case 'disk-failure':
        this.#breakDisk(fault, site);
        break;
      case 'wipe':
        this.#wipe(site);
        break;
      case 'transfer':
        this.#transfer();
        break;
      default:
    }
  }

  #crash(site: ServerSite, isPowerLoss: boolean): void {
    if (!site.isUp) return;
    site.crash(isPowerLoss);
    site.restartLater();
  }

  /** Often when a whole folder has just got its name, a snapshot or a store: that is rare among the syncs, and everything hangs on what was durable before. */
  #losePowerInSync(site: ServerSite): void {
    const crash = (): void => this.#crash(site, true);
    if (this.#random.chance(AT_FOLDERS))
      site.disk.duringNextSync(crash, ({ paths }) => paths.some((path) => FOLDERS.test(path)));
    else site.disk.duringNextSync(crash);
  }

  #breakLinks(fault: 'isolate' | 'one-way' | 'hold' | 'cut' | 'slow-links', { id }: ServerSite): void {
    const { tcp, counts } = this.#world;
    counts.partitions++;
    const others = this.#cluster.sites.map((site) => site.id).filter((other) => other !== id);
    const isAway = this.#random.chance(0.6);
    if (fault === 'slow-links') tcp.extra = SLOW_MS;
    else if (fault === 'cut') {
      for (const other of others) tcp.reset(id, other);
      return;
    } else {
      const victims = fault === 'hold' && others.length > 0 ? [this.#random.pick(others)] : others;
      for (const other of victims) {
        if (fault === 'isolate' || isAway) tcp.cut(id, other);
        if (fault === 'isolate' || !isAway) tcp.cut(other, id);
      }
    }
    this.#later(drawFrom(PARTITION_MS, this.#random), () => tcp.heal());
  }

  #breakDisk(fault: 'disk-full' | 'disk-stall' | 'disk-failure', { disk }: ServerSite): void {
    this.#world.counts.diskFaults++;
    const forMs = drawFrom(DISK_MS, this.#random);
    if (fault === 'disk-stall') disk.stall(forMs);
    else if (fault === 'disk-full') {
      void disk.fill(this.#random.int(ROOM_BYTES));
      this.#later(forMs, () => disk.empty());
    } else if (this.#random.chance(0.3)) disk.failNextWriteBack();
    else disk.failNextSync(this.#random.pick(['dropped', 'clean'] as const));
  }

  /** Only where the group knows the directory, and can do without it, or nobody could ever lead again. */
  #wipe(site: ServerSite): void {
    const member = this.#cluster.leader?.process?.group.member;
    if (member === undefined || site.isLost || !this.#world.profile.replaces) return;
    const { configuration } = member.node.summary();
    const isKnown = member.machine.members.some(({ node, incarnation }) => node === site.id && incarnation !== 0);
    const survives = (id: number): boolean => id !== site.id && this.#cluster.find(id)?.isLost === false;
    if (!isKnown || !isQuorum(configuration, survives)) return;
    this.#world.counts.wipes++;
    site.wipe(this.#cluster.sites.map(({ id }) => id));
    site.restartLater();
  }

  #transfer(): void {
    const { leader } = this.#cluster;
    const node = leader?.process?.group.member?.node;
    if (leader === undefined || node === undefined) return;
    const target = this.#random.pick(node.summary().configuration.voters);
    this.#world.counts.transfers++;
    leader.enter(() => void node.transferLeader(target).catch(() => undefined));
  }
}
