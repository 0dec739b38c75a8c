/**
 * A machine with one disk that runs a node: it starts the process, sees it crash, and starts it again.
 *
 * Incarnations: `incarnation` is what the site shows in the handshake of every connection. A directory that was wiped, or put back from a copy, has lost
 * promises, so it comes back as another incarnation, which the group does not know: nobody hears it, and it hears nobody, until it is replaced under a new id.
 */

import type { Configuration, Entry, NodeEvent, NodeId } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import type { SimWorld } from '../sim-world.ts';
import { ProcessGate } from '../world/process-gate.ts';
import { SimDisk } from '../world/sim-disk.ts';
import { decodeCommand } from './command.ts';
import { Ledger } from './ledger.ts';
import { isBug, type ProcessHost, SimProcess } from './sim-process.ts';

export interface SiteHost {
  readonly world: SimWorld;
  /** Carries a frame to another site. */
  carry(from: SimSite, to: NodeId, frame: Uint8Array): void;
  /** The site did something, in this event. */
  touched(site: SimSite): void;
  onEvent(site: SimSite, event: NodeEvent): void;
}

const RESTART_MS = { least: 50, mean: 800 };
/** More than a site is ever started. */
const LIVES_PER_SITE = 1_000_000;

export class SimSite {
  readonly id: NodeId;
  readonly disk: SimDisk;
  readonly #host: SiteHost;
  readonly #random: SeededRandom;
  readonly #clockRate: number;
  #firstGroup: Configuration | undefined;
  #ledger = new Ledger();
  #gate: ProcessGate | undefined;
  #process: SimProcess | undefined;
  readonly #applyStall = { untilMs: 0 };
  #incarnation = 0;
  /** In the files; a copy that was put back has that of its time. */
  #fileIncarnation = 0;
  #starts = 0;
  #life = 0;
  /** Whether it is not started again. */
  #isRetired = false;
  /** Whether it is not started for now. */
  #isOff = false;

  constructor(id: NodeId, host: SiteHost, firstGroup: Configuration | undefined) {
    const { world } = host;
    this.id = id;
    this.#host = host;
    this.#firstGroup = firstGroup;
    this.#random = world.random.fork(`site ${id}`);
    this.#clockRate = 1 + (this.#random.next() * 2 - 1) * world.profile.drift;
    this.disk = new SimDisk({ timeline: world.timeline, profile: world.profile, random: this.#random.fork('disk') });
  }

  /** The process, once it is open and while it lives. A paused one does not count. */
  get process(): SimProcess | undefined {
    return this.#gate?.isPaused === true ? undefined : this.#process;
  }

  /** The process, paused or not. */
  get anyProcess(): SimProcess | undefined {
    return this.#process;
  }

  /** Of the incarnation that the group knows. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  get life(): number {
    return this.#life;
  }

  get isFenced(): boolean {
    return this.#incarnation > 0;
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  get isUp(): boolean {
    return this.#gate !== undefined;
  }

  /** Opens what is on the disk; tries again later where that fails. */
  start(): void {
    if (this.#isRetired || this.#isOff || this.#gate !== undefined) return;
    const gate = new ProcessGate(() => this.#host.touched(this));
    this.#gate = gate;
    this.#starts++;
    this.#life = this.id * LIVES_PER_SITE + this.#starts;
    this.#open(gate).catch((error: unknown) => {
      if (!gate.isDead) this.#failed(error);
    });
  }

  /** The process ends, at once. */
  crash(isPowerLoss: boolean): void {
    if (this.#gate === undefined) return;
    this.#gate.kill();
    this.#gate = undefined;
    this.#process = undefined;
    const mode = this.disk.crash(isPowerLoss);
    this.#host.world.counts.crashes++;
    this.#trace(`crashes: ${mode}`);
  }

  restartLater(): void {
    const { timeline } = this.#host.world;
    const delayMs = RESTART_MS.least + this.#random.next() * 2 * RESTART_MS.mean;
    timeline.after(delayMs, () => {
      if (this.#gate !== undefined || this.#isRetired || this.#isOff) return;
      this.#host.world.counts.restarts++;
      this.#trace('restarts');
      this.start();
    });
  }

  pause(): void {
    this.#trace('pauses');
    this.#gate?.pause();
  }

  resume(): void {
    this.#trace('goes on');
    this.#gate?.resume();
  }

  /** Its state machine stands still, for `ms`. */
  stallApply(ms: number): void {
    this.#applyStall.untilMs = this.#host.world.timeline.nowMs + ms;
  }

  /** Its directory is gone. */
  wipe(): void {
    this.crash(false);
    this.disk.wipe();
    this.#firstGroup = undefined;
    this.#incarnation++;
    this.#fileIncarnation = this.#incarnation;
    this.#trace('is wiped');
  }

  /** @returns Whether there was a copy of its directory, which it has now. */
  rollBack(): boolean {
    this.crash(false);
    if (!this.disk.rollBack()) return false;
    this.#incarnation++;
    this.#trace('is rolled back');
    return true;
  }

  switchOff(): void {
    this.crash(true);
    this.#isOff = true;
  }

  switchOn(): void {
    this.#isOff = false;
    this.start();
  }

  /** It is switched off for good. */
  retire(): void {
    this.crash(false);
    this.#isRetired = true;
    this.#trace('is retired');
  }

  /** A frame has arrived. */
  receive(frame: Uint8Array): void {
    const gate = this.#gate;
    gate?.enter(() => {
      this.#host.world.trace.addFrame(this.id, frame);
      this.#process?.receive(frame);
    });
  }

  async #open(gate: ProcessGate): Promise<void> {
    const { world } = this.#host;
    const opened = await SimProcess.open({
      world,
      gate,
      fs: this.disk.open(gate),
      nodeId: this.id,
      incarnation: this.#fileIncarnation,
      random: this.#random.fork(`start ${this.#starts}`),
      clockRate: this.#clockRate,
      // An unknown incarnation has promised nothing to anybody.
      applyStall: this.#applyStall,
      ledger: this.isFenced ? new Ledger() : this.#ledger,
      firstGroup: this.#firstGroup,
      host: this.isFenced ? this.#quietHost(gate) : this.#processHost(gate),
    });
    this.#process = opened;
    this.#trace('is up');
  }

  #failed(error: unknown): void {
    const { world } = this.#host;
    world.counts.nodeFailures++;
    this.#trace(`fails: ${String(error)}`);
    const finder = isBug(error) ? 'assertion' : 'failure';
    const isExpected = this.disk.hasFailed && finder === 'failure';
    if (!isExpected && !this.isFenced) world.checks.fail(finder, `node ${this.id} failed: ${describeError(error)}`);
    // Not within the event: the process is still at work on what it tells of.
    const gate = this.#gate;
    world.timeline.after(1, () => {
      if (this.#gate !== gate) return;
      this.crash(this.#random.chance(0.5));
      this.restartLater();
    });
  }

  #processHost(gate: ProcessGate): ProcessHost {
    const { checks, counts } = this.#host.world;
    return {
      ...this.#quietHost(gate),
      onAppended: (entries, previousTerm, before) => {
        if (before.length > 0) counts.truncations++;
        checks.logs.appended(this.id, entries, previousTerm);
        checks.commits.replaced(this.id, before, entries);
      },
      onApplied: (entry: Entry, state) => {
        checks.applies.applied(this.id, entry, state, this.#ledger.durableTerm(entry.index));
        checks.clients.applied(decodeCommand(entry.data).id);
      },
      onReached: (state) => checks.applies.reached(this.id, state),
      onLoss: (what) => checks.fail('disk', `node ${this.id} has lost what it promised: ${what}`),
    };
  }

  /** Of an incarnation that nobody listens to: what it thinks is no concern of the group's. */
  #quietHost(gate: ProcessGate): ProcessHost {
    return {
      send: (to, frame) => {
        if (!gate.isDead) this.#host.carry(this, to, frame);
      },
      onEvent: (event) => {
        if (gate.isDead) return;
        if (event.kind === 'node-failed') this.#failed(event.cause);
        else this.#host.onEvent(this, event);
      },
      onError: (error) => {
        if (!gate.isDead) this.#failed(error);
      },
      onAppended: () => {},
      onApplied: () => {},
      onReached: () => {},
      onLoss: () => {},
    };
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
