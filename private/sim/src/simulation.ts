/**
 * A whole cluster in one thread, from one seed: rounds of faults, and after each a quorum is healed and has to recover. The same seed and options give the same trace, byte for
 * byte.
 */

import type { Configuration } from '@kayadb/raft';
import { seededRandom } from '@kayadb/testkit';

import { Checks } from './checks/checks.ts';
import type { Violation } from './checks/finder.ts';
import { Cluster } from './cluster.ts';
import { Churn } from './faults/churn.ts';
import { Nemesis } from './faults/nemesis.ts';
import { Recovery } from './faults/recovery.ts';
import { Workload } from './faults/workload.ts';
import type { SimWorld } from './sim-world.ts';
import { SimulationError } from './simulation-error.ts';
import { type Counts, newCounts } from './world/counts.ts';
import { Network } from './world/network.ts';
import { type Pace, pickProfile, type Profile } from './world/profile.ts';
import { settle, Timeline } from './world/timeline.ts';
import { Trace } from './world/trace.ts';

export interface SimulationOptions {
  /** Simulated time with faults. Recovery comes on top. */
  readonly seconds: number;
  /** `dense` by default. */
  readonly pace?: Pace;
  /** In the place of what the seed would draw. */
  readonly profile?: Partial<Profile>;
  /** Gets each line of the trace. */
  readonly print?: (line: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly counts: Counts;
  /** Hash of the trace. */
  readonly digest: string;
  readonly lines: number;
  /** Sites that were left broken while a quorum recovered. */
  readonly broken: number;
}

const TAIL_LINES = 60;
/** For a member to get a snapshot and everything behind it, chunk by chunk. */
const EQUAL_MS = 60_000;
/** Between two proposals while a leader is looked for. */
const PROPOSAL_MS = 500;
const POLL_MS = 250;
/** Share of rounds that end within a change of the group, and how long before their end it is proposed, at the most. */
const LAST_CHANGES = 0.4;
const LAST_CHANGE_MS = 400;

export class Simulation {
  readonly #seed: number;
  readonly #seconds: number;
  readonly #world: SimWorld;
  readonly #timeline = new Timeline();
  readonly #cluster: Cluster;

  private constructor(seed: number, { seconds, pace = 'dense', profile, print }: SimulationOptions) {
    this.#seed = seed;
    this.#seconds = seconds;
    const timeline = this.#timeline;
    const random = seededRandom(seed);
    const counts = newCounts();
    const mood = { isCalm: false };
    const drawn: Profile = { ...pickProfile(random.fork('profile'), pace), ...profile };
    const network = new Network({ mood, timeline, profile: drawn, counts, random: random.fork('network') });
    const checks = new Checks((id) => this.#cluster.find(id)?.ledger);
    const trace = new Trace(() => timeline.nowMs, print);
    this.#world = { mood, timeline, trace, counts, profile: drawn, random, network, checks };
    this.#cluster = new Cluster(this.#world);
  }

  /** @throws SimulationError when an invariant is broken, or the cluster does not recover. */
  static async run(seed: number, options: SimulationOptions): Promise<SimulationResult> {
    const { stackTraceLimit } = Error;
    // Errors are answers here, and their stacks cost more than all the rest of them. Whoever prints wants them.
    if (options.print === undefined) Error.stackTraceLimit = 0;
    try {
      return await new Simulation(seed, options).#run();
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  async #run(): Promise<SimulationResult> {
    const { counts, trace, profile } = this.#world;
    const random = this.#world.random.fork('rounds');
    const ids = Array.from({ length: profile.voters }, (_, i) => i + 1);
    trace.add(`profile ${JSON.stringify(profile)}`);
    for (const _ of ids) this.#cluster.add(firstGroup(ids));
    const nemesis = new Nemesis(this.#world, this.#cluster);
    const churn = new Churn(this.#world, this.#cluster);
    const workload = new Workload(this.#world, this.#cluster);
    let broken = 0;
    for (let rest = this.#seconds; rest > 0; rest -= profile.roundSeconds) {
      nemesis.start();
      churn.start();
      workload.start();
      await this.#advance(Math.min(rest, profile.roundSeconds) * 1000);
      if (random.chance(LAST_CHANGES)) {
        churn.changeAtLast();
        await this.#advance(random.next() * LAST_CHANGE_MS);
      }
      churn.stop();
      nemesis.stop();
      // Processes that go on have done so before any of them is broken: what they find done on their disks was done.
      await settle();
      broken += await this.#recover(workload);
    }
    counts.simulatedSeconds = Math.round(this.#timeline.nowMs / 1000);
    return { seed: this.#seed, counts, digest: trace.digest(), lines: trace.count, broken };
  }

  async #recover(workload: Workload): Promise<number> {
    const recovery = new Recovery(this.#world, this.#cluster);
    recovery.breakRest();
    this.#world.trace.add('a quorum is healed');
    const { leaderMs } = recovery;
    // A leader whose disk has stopped answering finds out by what it is asked to write.
    let nextProposalMs = this.#timeline.nowMs;
    const hasLeader = await this.#advanceUntil(leaderMs, () => {
      if (this.#timeline.nowMs >= nextProposalMs) {
        workload.propose();
        nextProposalMs += PROPOSAL_MS;
      }
      return recovery.findLeader() !== undefined;
    });
    if (!hasLeader) throw this.#notRecovered(`nobody leads, ${leaderMs} ms after a quorum was healed`);
    workload.stop();
    recovery.transferInVain();
    const before = this.#world.counts.acknowledged;
    // Where everything is slow, what is proposed may be committed later than whoever proposed it waits.
    const logEnd = recovery.findLeader()?.status.lastIndex ?? Infinity;
    const isTaken = await this.#advanceUntil(EQUAL_MS, () => {
      workload.propose();
      const commit = recovery.findLeader()?.status.commit ?? 0;
      return this.#world.counts.acknowledged > before || commit > logEnd;
    });
    if (!isTaken) throw this.#notRecovered('no proposal is taken after the recovery');
    const isEqual = await this.#advanceUntil(EQUAL_MS, () => recovery.findDifference() === undefined);
    if (!isEqual) throw this.#notRecovered(`the replicas do not become equal: ${recovery.findDifference()}`);
    const { brokenCount } = recovery;
    recovery.end();
    this.#world.counts.recoveries++;
    return brokenCount;
  }

  async #advanceUntil(ms: number, isDone: () => boolean): Promise<boolean> {
    const end = this.#timeline.nowMs + ms;
    while (!isDone()) {
      if (this.#timeline.nowMs >= end) return false;
      await this.#advance(POLL_MS);
    }
    return true;
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
      if (violation !== undefined) throw this.#error(violation);
    }
  }

  #notRecovered(what: string): SimulationError {
    return this.#error({ finder: 'recovery', what });
  }

  #error(violation: Violation): SimulationError {
    return new SimulationError(this.#seed, violation, this.#world.trace.tail(TAIL_LINES));
  }
}

function firstGroup(voters: readonly number[]): Configuration {
  return { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
}
