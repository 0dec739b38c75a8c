/**
 * A group of whole servers in one thread, from one seed: rounds of faults, and after each a quorum is healed and has to recover; at the end everybody is. The same seed and options give the same
 * trace, byte for byte.
 */

import { checkHistory, seededRandom } from '@kayadb/testkit';
import { fakeProcessWorld } from '@kayadb/vfs/testing';

import type { Finder } from '../checks/finder.ts';
import { SimulationError } from '../simulation-error.ts';
import { settle, Timeline } from '../world/timeline.ts';
import { Trace } from '../world/trace.ts';
import { findDifferentRows } from './compare-rows.ts';
import { ServerChecks } from './server-checks.ts';
import { ServerCluster } from './server-cluster.ts';
import { newServerCounts, type ServerCounts } from './server-counts.ts';
import { ServerNemesis } from './server-nemesis.ts';
import { ServerOperator } from './server-operator.ts';
import { pickServerProfile, type ServerProfile } from './server-profile.ts';
import { ServerRecovery } from './server-recovery.ts';
import { ServerWorkload } from './server-workload.ts';
import type { ServerWorld } from './server-world.ts';
import { SimTcp } from './sim-tcp.ts';

export interface ServerSimulationOptions {
  /** Simulated time with faults. Recovery comes on top. */
  readonly seconds: number;
  /** In the place of what the seed would draw. */
  readonly profile?: Partial<ServerProfile>;
  /** Gets each line of the trace. */
  readonly print?: (line: string) => void;
}

export interface ServerSimulationResult {
  readonly seed: number;
  readonly counts: ServerCounts;
  /** Hash of the trace, and of everything that arrived anywhere. */
  readonly digest: string;
  readonly lines: number;
}

const TAIL_LINES = 60;
/** For somebody to lead: links are dialed again, and somebody may have to hear that he is silent. */
const LEADER_MS = 30_000;
const ANSWER_MS = 20_000;
/** For everybody to be given an answer, or to give up. */
const IDLE_MS = 30_000;
/** For a member to get a snapshot and everything behind it. */
const EQUAL_MS = 40_000;
const READ_MS = 90_000;
const POLL_MS = 200;

export class ServerSimulation {
  readonly #seed: number;
  readonly #seconds: number;
  readonly #world: ServerWorld;
  readonly #timeline = new Timeline();
  readonly #cluster: ServerCluster;
  readonly #workload: ServerWorkload;

  private constructor(seed: number, { seconds, profile, print }: ServerSimulationOptions) {
    this.#seed = seed;
    this.#seconds = seconds;
    const timeline = this.#timeline;
    const random = seededRandom(seed).fork('server');
    const counts = newServerCounts();
    const drawn: ServerProfile = { ...pickServerProfile(random.fork('profile')), ...profile };
    const trace = new Trace(() => timeline.nowMs, print);
    const { delay, splits } = drawn;
    const note = (value: number): void => trace.note(value);
    const tcp = new SimTcp({ timeline, random: random.fork('network'), delay, splits, counts, note });
    const checks = new ServerChecks();
    this.#world = { timeline, trace, counts, profile: drawn, random, tcp, checks, processes: fakeProcessWorld() };
    this.#cluster = new ServerCluster(this.#world);
    this.#workload = new ServerWorkload(this.#world, this.#cluster);
  }

  /** @throws SimulationError when something happens that must not, or the group does not recover. */
  static async run(seed: number, options: ServerSimulationOptions): Promise<ServerSimulationResult> {
    const { stackTraceLimit } = Error;
    // Errors are answers here, and their stacks cost more than all the rest of them. Whoever prints wants them.
    if (options.print === undefined) Error.stackTraceLimit = 0;
    try {
      return await new ServerSimulation(seed, options).#run();
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  async #run(): Promise<ServerSimulationResult> {
    const { counts, trace, profile } = this.#world;
    trace.add(`profile ${JSON.stringify(profile)}`);
    const ids = Array.from({ length: profile.voters }, (_, i) => i + 1);
    for (const id of ids) this.#cluster.add(id, ids, false);
    const nemesis = new ServerNemesis(this.#world, this.#cluster);
    const operator = new ServerOperator(this.#world, this.#cluster);
    operator.start();
    this.#workload.start();
    for (let rest = this.#seconds; rest > 0; rest -= profile.roundSeconds) {
      nemesis.start();
      operator.setChanging(true);
      await this.#advance(Math.min(rest, profile.roundSeconds) * 1000);
      nemesis.stop();
      operator.setChanging(false);
      // Processes that go on have done so before any of them is broken: what they find done on their disks was done.
      await settle();
      await this.#recover(rest <= profile.roundSeconds, operator.leaving);
    }
    await this.#finish();
    counts.simulatedSeconds = Math.round(this.#timeline.nowMs / 1000);
    return { seed: this.#seed, counts, digest: trace.digest(), lines: trace.count };
  }

  /** @param isLast - Whether nobody stays broken. */
  async #recover(isLast: boolean, leaving: ReadonlySet<number>): Promise<void> {
    const { counts, trace } = this.#world;
    const recovery = new ServerRecovery(this.#world, this.#cluster, leaving);
    if (!isLast) recovery.breakRest();
    trace.add(isLast ? 'everything is healed' : 'a quorum is healed');
    await this.#demand(LEADER_MS, () => (recovery.findLeader() === undefined ? 'nobody leads' : undefined));
    const before = counts.written;
    await this.#demand(ANSWER_MS, () => (counts.written === before ? 'no write is done' : undefined));
    this.#workload.setQuiet(true);
    await this.#demand(IDLE_MS, () => (this.#workload.isIdle ? undefined : 'clients wait for answers'));
    await this.#demand(EQUAL_MS, () => recovery.findLaggard());
    const difference = await this.#await('rows can not be read', EQUAL_MS, findDifferentRows(recovery.healthy));
    if (difference !== undefined) throw this.#error('rows', difference);
    counts.comparisons += recovery.healthy.length - 1;
    recovery.end();
    this.#workload.setQuiet(false);
    counts.recoveries++;
  }

  async #finish(): Promise<void> {
    this.#workload.end();
    await this.#await('not everything can be read', READ_MS, this.#workload.readEverything());
    const verdict = checkHistory(this.#workload.history());
    if (verdict.kind === 'undecided') throw this.#error('history', 'the search for an order was given up');
    if (verdict.kind === 'faulty') throw this.#error('history', verdict.explanation);
  }

  /** Time goes on until `work` is done. @throws SimulationError when that is not within `ms`. */
  async #await<T>(amiss: string, ms: number, work: Promise<T>): Promise<T> {
    let isDone = false;
    const noted = work.finally(() => {
      isDone = true;
    });
    noted.catch(() => undefined);
    await settle();
    await this.#demand(ms, () => (isDone ? undefined : amiss));
    return noted;
  }

  /** Time goes on until nothing is amiss. @throws SimulationError when that is not within `ms`. */
  async #demand(ms: number, findAmiss: () => string | undefined): Promise<void> {
    const end = this.#timeline.nowMs + ms;
    for (let amiss = findAmiss(); amiss !== undefined; amiss = findAmiss()) {
      if (this.#timeline.nowMs >= end) throw this.#error('recovery', `${amiss}, ${ms} ms after it was healed`);
      await this.#advance(POLL_MS);
    }
  }

  /** Runs every event of the next `ms`, and checks after each. */
  async #advance(ms: number): Promise<void> {
    const end = this.#timeline.nowMs + ms;
    this.#timeline.after(ms, () => {});
    while (this.#timeline.nowMs < end) {
      await this.#timeline.step();
      this.#world.counts.events++;
      this.#cluster.check();
      const { violation } = this.#world.checks;
      if (violation !== undefined) throw this.#error(violation.finder, violation.what);
      const { failure } = this.#workload;
      if (failure !== undefined) throw this.#error('clients', failure.message);
    }
  }

  #error(finder: Finder, what: string): SimulationError {
    return new SimulationError(this.#seed, { finder, what }, this.#world.trace.tail(TAIL_LINES));
  }
}
