/**
 * What a run of whole servers is like, drawn from its seed. Each run leaves some faults out altogether, since those that are there all the time hide what the
 * others would show.
 */

import type { GroupTuning } from '@kayadb/server/testing';
import type { SeededRandom } from '@kayadb/testkit';

import type { Span } from '../world/profile.ts';

/**
 * What goes wrong. Most are what they are called:
 *
 * - `kill`: the process dies, the machine does not, and its connections are reset. `power-loss`: it is dark, and nobody is told. `stop`: a process ends in good order.
 * - `one-way`: the victim hears and is not heard, or the other way round. `hold`: one link alone, in one direction. `slow-links`: everything takes longer.
 * - `clock-jump`: the time of day of a machine is another one.
 * - `wipe`: the directory is gone. The operator removes the node, and adds it again.
 */
export type ServerFault =
  | 'kill'
  | 'power-loss'
  | 'power-loss-in-sync'
  | 'blackout'
  | 'stop'
  | 'pause'
  | 'isolate'
  | 'one-way'
  | 'hold'
  | 'cut'
  | 'slow-links'
  | 'clock-jump'
  | 'disk-full'
  | 'disk-stall'
  | 'disk-failure'
  | 'wipe'
  | 'transfer';

const FAULTS: readonly ServerFault[] = [
  'kill',
  'power-loss',
  'power-loss-in-sync',
  'blackout',
  'stop',
  'pause',
  'isolate',
  'one-way',
  'hold',
  'cut',
  'slow-links',
  'clock-jump',
  'disk-full',
  'disk-stall',
  'disk-failure',
  'wipe',
  'transfer',
];

export interface ServerProfile {
  /** Time with faults until a quorum is healed. */
  readonly roundSeconds: number;
  readonly voters: number;
  readonly keepsLeases: boolean;
  readonly timing: { readonly heartbeatMs: number; readonly electionMs: number };
  readonly tuning: GroupTuning;
  readonly engine: {
    readonly memtableBytes: number;
    readonly tableBytes: number;
    readonly blockBytes: number;
    readonly blockCacheBytes: number;
    readonly level0Tables: number;
    readonly level1Bytes: number;
  };
  readonly faults: readonly ServerFault[];
  /** Mean time between two faults. */
  readonly faultMs: number;
  /** Whether directories are wiped, and removed nodes come back under their ids with empty ones. */
  readonly replaces: boolean;
  /** Mean time between two changes of the group. */
  readonly churnMs: number;
  readonly clients: number;
  /** Of these, those that write without a session. */
  readonly plainClients: number;
  readonly thinkMs: number;
  readonly scanMs: number;
  readonly sessionMs: number;
  /** Bytes that a write may put beside what it is about. */
  readonly ballastBytes: number;
  /** Share of requests, and of answers, that are lost between a client and a node. */
  readonly clientLoss: number;
  readonly delay: Span;
  /** Share of writes that are cut in two on their way. */
  readonly splits: number;
  readonly diskDelay: Span;
  /** Clocks run up to so much too fast or too slow. */
  readonly drift: number;
}

const HOUR_MS = 3_600_000;

export function pickServerProfile(random: SeededRandom): ServerProfile {
  const chosen = random.shuffle(FAULTS).slice(0, 3 + random.int(FAULTS.length - 2));
  const keepsLeases = random.chance(0.4);
  return {
    roundSeconds: 20,
    voters: random.pick([1, 2, 3, 3, 3, 3, 3, 3, 4, 5]),
    keepsLeases,
    timing: { heartbeatMs: 400, electionMs: 2000 },
    tuning: pickTuning(random),
    engine: {
      memtableBytes: random.pick([2048, 4096, 16_384]),
      tableBytes: random.pick([1024, 4096]),
      blockBytes: random.pick([128, 1024]),
      blockCacheBytes: random.pick([0, 65_536]),
      level0Tables: random.pick([1, 2, 4]),
      level1Bytes: random.pick([2048, 16_384]),
    },
    faults: FAULTS.filter((name) => chosen.includes(name)),
    replaces: random.chance(0.5),
    faultMs: random.pick([1000, 2000, 4000]),
    churnMs: random.pick([4000, 12_000, 1e9]),
    clients: random.pick([3, 4]),
    plainClients: random.pick([0, 1]),
    thinkMs: random.pick([600, 1500]),
    scanMs: random.pick([1500, 4000]),
    sessionMs: random.pick([2000, 15_000, HOUR_MS, HOUR_MS]),
    ballastBytes: random.pick([50, 300, 1000]),
    clientLoss: random.pick([0, 0.02, 0.15]),
    delay: random.pick([
      { from: 0.2, to: 2 },
      { from: 0.5, to: 15 },
      { from: 5, to: 60 },
    ]),
    splits: random.pick([0, 0.1, 0.5]),
    diskDelay: random.pick([
      { from: 0.05, to: 0.5 },
      { from: 0.5, to: 6 },
      { from: 2, to: 25 },
    ]),
    // A lease is three quarters of an election by the leader's clock: clocks may differ by less than a quarter.
    drift: random.pick([0, 0.01, 0.08]),
  };
}

function pickTuning(random: SeededRandom): GroupTuning {
  const keepBytes = random.pick([0, 500, 4000]);
  return {
    limits: {
      snapshotBytes: random.pick([1000, 4000, 16_000]),
      keepBytes,
      keepForSlowBytes: keepBytes + random.pick([0, 2000, 20_000]),
      maxMessageBytes: random.pick([200, 2000, 1_000_000]),
      maxInflightMessages: random.pick([2, 8, 256]),
      maxCommittedBytesPerReady: random.pick([1, 2000, 1_000_000]),
      maxProposals: random.pick([2, 100]),
      maxReads: random.pick([4, 100]),
      proposalTicks: random.pick([15, 25]),
      readTicks: random.pick([8, 15]),
      readRetryTicks: random.pick([2, 5]),
      storageStallTicks: random.pick([8, 12]),
    },
    log: { segmentBytes: random.pick([1024, 8192, 65_536]), cacheBytes: random.pick([1, 100_000]) },
    transfer: { chunkBytes: random.pick([256, 4096]), windowBytes: 8192 },
    checkInvariants: true,
  };
}
