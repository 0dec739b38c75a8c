/** A machine with one disk that runs a node: it starts the process, sees it end, and starts it again. */

import { DirectoryError, GroupError } from '@kayadb/server/testing';
import type { SeededRandom } from '@kayadb/testkit';
import type { FakeProcess } from '@kayadb/vfs/testing';

import { isBug } from '../node/sim-process.ts';
import { ProcessGate } from '../world/process-gate.ts';
import { SimDisk } from '../world/sim-disk.ts';
import { ServerProcess } from './server-process.ts';
import type { ServerWorld } from './server-world.ts';

export interface ServerSiteHost {
  readonly world: ServerWorld;
  /** The site did something, in this event. */
  touched(site: ServerSite): void;
  /** A line of its log, by the name of the event. */
  onLog(site: ServerSite, fields: Readonly<Record<string, unknown>>): void;
}

const RESTART_MS = { least: 50, mean: 800 };
/** A process that does not end in good order within this time is killed. */
const STOP_MS = 8000;
/** More than a site is ever started. */
const LIVES_PER_SITE = 1_000_000;

export class ServerSite {
  readonly id: number;
  readonly disk: SimDisk;
  readonly #host: ServerSiteHost;
  readonly #random: SeededRandom;
  readonly #clockRate: number;
  readonly #wallOffset = { ms: 0 };
  #peers: readonly number[];
  #isJoining: boolean;
  #gate: ProcessGate | undefined;
  #fake: FakeProcess | undefined;
  #process: ServerProcess | undefined;
  #starts = 0;
  #life = 0;
  #diskNumber = 0;
  /** Its directory is not the one that the group knows. */
  #isLost = false;
  /** Its directory was wiped, and it has not run since. */
  #isUntold = false;
  /** Somebody has asked for its removal. */
  #isLeaving = false;
  #isOff = false;
  /** Why it ended, when the group did not want it. */
  #fencedAs: string | undefined;

  constructor(id: number, host: ServerSiteHost, peers: readonly number[], isJoining: boolean) {
    const { world } = host;
    this.id = id;
    this.#host = host;
    this.#peers = peers;
    this.#isJoining = isJoining;
    this.#random = world.random.fork(`site ${id}`);
    this.#clockRate = 1 + (this.#random.next() * 2 - 1) * world.profile.drift;
    this.disk = new SimDisk({ timeline: world.timeline, profile: world.profile, random: this.#random.fork('disk') });
  }

  /** The process, once its directory is open and while it lives. A paused one does not count. */
  get process(): ServerProcess | undefined {
    return this.#gate?.isPaused === true ? undefined : this.#process;
  }

  /** The process, paused or not. */
  get anyProcess(): ServerProcess | undefined {
    return this.#process;
  }

  get life(): number {
    return this.#life;
  }

  get diskNumber(): number {
    return this.#diskNumber;
  }

  get isUp(): boolean {
    return this.#gate !== undefined;
  }

  /** Whether it has lost what the group counts on: its directory was wiped, and the group did not take it in anew. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether what comes from it was sent before its directory was wiped. */
  get isUntold(): boolean {
    return this.#isUntold;
  }

  /** The code of the error with which it ended since the group does not want it; undefined while it runs. */
  get fencedAs(): string | undefined {
    return this.#fencedAs;
  }

  /** Opens what is on the disk; tries again later where that fails. */
  start(): void {
    if (this.#isOff || this.#gate !== undefined || this.#fencedAs !== undefined) return;
    const gate = new ProcessGate(() => this.#host.touched(this));
    this.#gate = gate;
    this.#fake = this.#host.world.processes.start();
    this.#starts++;
    this.#life = this.id * LIVES_PER_SITE + this.#starts;
    this.#host.world.tcp.host(this.id).boot(gate);
    this.#open(gate, this.#fake).catch((error: unknown) => {
      if (!gate.isDead) this.#failed(error);
    });
  }

  /** The process ends, at once. */
  crash(isPowerLoss: boolean): void {
    if (this.#gate === undefined) return;
    const mode = this.#end(isPowerLoss);
    this.#host.world.counts.crashes++;
    this.#trace(`crashes: ${mode}`);
  }

  /** The process ends in good order, and is started again. */
  stop(): void {
    const gate = this.#gate;
    const process = this.#process;
    if (gate === undefined || process === undefined) return;
    const { counts, timeline } = this.#host.world;
    counts.stops++;
    this.#trace('is asked to stop');
    const end = (how: string): void => {
      if (this.#gate !== gate) return;
      this.#end(false);
      this.#trace(how);
      this.restartLater();
    };
    gate.enter(() => {
      process.stop().then(
        () => timeline.after(0, () => end('has stopped')),
        (error: unknown) => {
          if (!gate.isDead) this.#failed(error);
        },
      );
    });
    timeline.after(STOP_MS, () => end('does not stop, and is killed'));
  }

  restartLater(): void {
    const delayMs = RESTART_MS.least + this.#random.next() * 2 * RESTART_MS.mean;
    this.#host.world.timeline.after(delayMs, () => {
      if (this.#gate !== undefined || this.#isOff) return;
      this.#host.world.counts.restarts++;
      this.start();
    });
  }

  pause(): void {
    this.#trace('pauses');
    this.#gate?.pause();
  }

  resume(): void {
    if (this.#gate?.isPaused !== true) return;
    this.#trace('goes on');
    this.#gate.resume();
  }

  /** Its time of day is another one. */
  jumpClock(ms: number): void {
    this.#wallOffset.ms += ms;
    this.#trace(`is ${ms} ms further by its clock`);
  }

  /** Its directory is gone, and it is started as one that is to be added, before anybody has removed it: the group must keep it out. */
  wipe(peers: readonly number[]): void {
    this.crash(false);
    this.disk.wipe();
    this.#diskNumber++;
    this.#isJoining = true;
    this.#peers = peers;
    this.#isLost = true;
    this.#isUntold = true;
    this.#trace('is wiped');
  }

  /** With an empty directory, to ask `peers`; the group is about to be asked to take it in. Requires: the group has removed it, or it was never a member. */
  rejoin(peers: readonly number[]): void {
    this.#peers = peers;
    this.crash(false);
    this.disk.wipe();
    this.#diskNumber++;
    this.#isLost = false;
    this.#isLeaving = false;
    this.#isJoining = true;
    this.#fencedAs = undefined;
    this.#trace('begins anew');
    this.start();
  }

  /** It may be told that it was removed. */
  expectRemoval(): void {
    this.#isLeaving = true;
  }

  switchOff(): void {
    this.crash(true);
    this.#isOff = true;
  }

  switchOn(): void {
    this.#isOff = false;
    this.start();
  }

  /** Something comes to the process, if there is one. */
  enter(run: (process: ServerProcess) => void): void {
    this.#gate?.enter(() => {
      if (this.#process !== undefined) run(this.#process);
    });
  }

  async #open(gate: ProcessGate, process: FakeProcess): Promise<void> {
    const { world } = this.#host;
    this.#process = await ServerProcess.open({
      world,
      gate,
      fs: this.disk.open(gate),
      process,
      id: this.id,
      random: this.#random.fork(`start ${this.#starts}`),
      clockRate: this.#clockRate,
      wallOffset: this.#wallOffset,
      peers: this.#peers,
      isJoining: this.#isJoining,
      host: {
        onLog: (fields) => {
          if (!gate.isDead) this.#host.onLog(this, fields);
        },
        onEngine: ({ kind }) => {
          if (kind === 'flushed') world.counts.flushes++;
          if (kind === 'compacted') world.counts.compactions++;
        },
        onEnd: (cause) => {
          if (!gate.isDead) this.#failed(cause);
        },
      },
    });
    this.#isUntold = false;
    this.#trace('is up');
  }

  #end(isPowerLoss: boolean): string {
    this.#gate?.kill();
    this.#gate = undefined;
    this.#process = undefined;
    this.#fake?.kill();
    this.#host.world.tcp.host(this.id).die(isPowerLoss);
    return this.disk.crash(isPowerLoss);
  }

  #failed(error: unknown): void {
    const { world } = this.#host;
    const isFenced =
      error instanceof GroupError || (error instanceof DirectoryError && error.code === 'KAYA_NODE_REMOVED');
    this.#trace(`fails: ${String(error)}`);
    if (isFenced) world.counts.fenced++;
    else world.counts.nodeFailures++;
    const isExpected = isFenced ? this.#isLost || this.#isLeaving : this.disk.hasFailed && !isBug(error);
    if (!isExpected) {
      world.checks.fail(isBug(error) ? 'assertion' : 'failure', `node ${this.id} failed: ${describeError(error)}`);
    }
    // Not within the event: the process is still at work on what it tells of.
    const gate = this.#gate;
    world.timeline.after(1, () => {
      if (this.#gate !== gate) return;
      if (isFenced) this.#fencedAs = error.code;
      this.crash(!isFenced && this.#random.chance(0.5));
      this.restartLater();
    });
  }

  #trace(what: string): void {
    this.#host.world.trace.add(`${this.id} ${what}`);
  }
}

function describeError(error: unknown): string {
  const lines: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) lines.push(cause.stack ?? cause.message);
  return lines.length === 0 ? String(error) : lines.join('\ncaused by ');
}
