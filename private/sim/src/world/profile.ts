/**
 * What a run is like, drawn from its seed: limits, speeds, and how often what goes wrong. Each run leaves some faults out altogether, since those that are there
 * all the time hide what the others would show.
 */

import type { NodeLimits } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

/**
 * What goes wrong. Most are what they are called; of those that aim at something:
 *
 * - `one-way`: the victim hears and is not heard. `bridge`: two sides that reach each other by way of one node only. `split`: links cut by chance.
 * - `stale-leader`: answers to the leader are on their way for long, and then nobody hears it any more: another one is elected, while those answers still come.
 * - `lossy-transfer`: leadership is handed to a node that is cut off, or stands still.
 * - `slow-apply`: a state machine stands still, so that its node knows of changes that it has not applied.
 */
export type FaultName =
  | 'crash'
  | 'crash-in-sync'
  | 'blackout'
  | 'pause'
  | 'isolate'
  | 'one-way'
  | 'split'
  | 'bridge'
  | 'stale-leader'
  | 'slow-apply'
  | 'disk-full'
  | 'disk-stall'
  | 'disk-failure'
  | 'wipe'
  | 'rollback'
  | 'transfer'
  | 'lossy-transfer';

const FAULTS: readonly FaultName[] = [
  'crash',
  'crash-in-sync',
  'blackout',
  'pause',
  'isolate',
  'one-way',
  'split',
  'bridge',
  'stale-leader',
  'slow-apply',
  'disk-full',
  'disk-stall',
  'disk-failure',
  'wipe',
  'rollback',
  'transfer',
  'lossy-transfer',
];

/** Between two bounds, in milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Profile {
  /** Time with faults until a quorum is healed. */
  readonly roundSeconds: number;
  readonly voters: number;
  readonly limits: Partial<NodeLimits> & Pick<NodeLimits, 'tickMs' | 'electionTicks'>;
  readonly segmentBytes: number;
  readonly cacheBytes: number;
  readonly faults: readonly FaultName[];
  /** Mean time between two faults. */
  readonly faultMs: number;
  /** Mean time between two changes of the group. */
  readonly churnMs: number;
  /** Share of changes that put learners in the place of most voters at once. */
  readonly swaps: number;
  /** Share of changes that, just as they come into force somewhere, cut those who know from those who do not. */
  readonly changeCuts: number;
  readonly proposalMs: number;
  readonly readMs: number;
  readonly valueBytes: number;
  readonly loss: number;
  readonly duplication: number;
  readonly delay: Span;
  /** Share of messages that are very late, so that later ones overtake them. */
  readonly lateness: number;
  readonly late: Span;
  readonly diskDelay: Span;
  /** Share of calls of the state machine that are slow. */
  readonly slowApply: number;
  readonly applyDelay: Span;
  /** Entries between two times that the state machine makes itself durable. */
  readonly persistEntries: number;
  /** Clocks run up to so much too fast or too slow. */
  readonly drift: number;
  /** Share of lost messages of which the sender's host hears. */
  readonly unreachableReports: number;
}

/**
 * How much happens in a time: `dense` is a fault every second or so, for minutes; `sparse` one every half a minute or so, for hours, so that what only time
 * brings about has a chance: logs, terms and configurations by the thousand.
 */
export type Pace = 'dense' | 'sparse';

const TICK_MS = 100;
const ELECTION_TICKS = 10;

type Rates = Pick<Profile, 'roundSeconds' | 'faultMs' | 'churnMs' | 'proposalMs' | 'readMs'>;

const RATES: { readonly [Key in Pace]: (random: SeededRandom) => Rates } = {
  dense: (random) => ({
    roundSeconds: 20,
    faultMs: random.pick([500, 1200, 2500]),
    churnMs: random.pick([1000, 2500, 6000, 1e9]),
    proposalMs: random.pick([30, 80, 200]),
    readMs: random.pick([150, 500]),
  }),
  sparse: (random) => ({
    roundSeconds: 600,
    faultMs: random.pick([10_000, 30_000, 60_000]),
    churnMs: random.pick([20_000, 60_000, 300_000]),
    proposalMs: random.pick([500, 2000]),
    readMs: random.pick([1000, 4000]),
  }),
};

export function pickProfile(random: SeededRandom, pace: Pace): Profile {
  const chosen = random.shuffle(FAULTS).slice(0, 3 + random.int(FAULTS.length - 2));
  return {
    ...RATES[pace](random),
    voters: random.pick([1, 2, 3, 3, 3, 3, 3, 4, 5, 5]),
    limits: pickLimits(random),
    segmentBytes: random.pick([1024, 4096, 16_384]),
    cacheBytes: random.pick([1, 500, 100_000]),
    faults: FAULTS.filter((name) => chosen.includes(name)),
    swaps: random.pick([0, 0.3, 0.8]),
    changeCuts: random.pick([0, 0.1, 0.5]),
    valueBytes: random.pick([8, 60, 300]),
    loss: random.pick([0, 0.01, 0.1]),
    duplication: random.pick([0, 0.02, 0.1, 0.3]),
    delay: random.pick([
      { from: 0.2, to: 2 },
      { from: 1, to: 40 },
      { from: 10, to: 120 },
    ]),
    lateness: random.pick([0, 0.02, 0.15]),
    late: { from: 200, to: 4000 },
    diskDelay: random.pick([
      { from: 0.05, to: 0.5 },
      { from: 1, to: 15 },
      { from: 5, to: 80 },
    ]),
    slowApply: random.pick([0, 0.05, 0.3]),
    applyDelay: { from: 5, to: random.pick([40, 400]) },
    persistEntries: random.pick([3, 20, 60]),
    drift: random.pick([0, 0.02, 0.15]),
    unreachableReports: random.pick([0, 0.3]),
  };
}

function pickLimits(random: SeededRandom): Profile['limits'] {
  const keepBytes = random.pick([0, 200, 1000, 20_000]);
  return {
    tickMs: TICK_MS,
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: random.pick([1, 2]),
    proposalTicks: random.pick([10, 40]),
    readTicks: random.pick([10, 30]),
    readRetryTicks: random.pick([2, 5]),
    storageStallTicks: random.pick([5, 15]),
    diskFullRetryTicks: random.pick([1, 5]),
    maxEntryBytes: 1024,
    maxMessageBytes: random.pick([1, 150, 1000]),
    maxInflightMessages: random.pick([1, 2, 3]),
    maxInflightBytes: random.pick([1000, 4000]),
    maxCommittedBytesPerReady: random.pick([1, 200, 2000]),
    maxUncommittedBytes: random.pick([400, 4000]),
    maxProposals: random.pick([4, 100]),
    maxReads: random.pick([2, 50]),
    maxInboxMessages: random.pick([8, 200]),
    maxWrites: random.pick([2, 50]),
    maxWriteBytes: random.pick([500, 10_000]),
    snapshotBytes: random.pick([150, 600, 3000, 20_000]),
    keepBytes,
    keepForSlowBytes: keepBytes + random.pick([0, 500, 3000]),
  };
}

/** A number of `span`. */
export function drawFrom(span: Span, random: SeededRandom): number {
  return span.from + random.next() * (span.to - span.from);
}

/** A time until the next event of a kind that has one every `meanMs` (exponential). */
export function drawInterval(meanMs: number, random: SeededRandom): number {
  return -Math.log(1 - random.next()) * meanMs;
}
