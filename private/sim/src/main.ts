/**
 * One simulation, or several with seeds one after the other: `corepack pnpm -s sim --seed N --runs N`. Ends with 0 when nothing broke, with 1 when something did.
 *
 * - `--seconds S`: with faults, per seed; 60 by default. `--pace sparse`: few faults in a long time, for an hour per seed and more.
 * - `--of server`: whole servers in the place of Raft nodes with a small state machine. `--replaces`: directories are wiped, and nodes come back under their ids.
 * - `--trace`: prints every event. `--figures FILE`: writes what came of it, after each seed anew.
 */

import { parseArgs } from 'node:util';

import { LongRun } from './long-run.ts';
import { newServerCounts } from './server/server-counts.ts';
import { ServerSimulation } from './server/server-simulation.ts';
import { SimulationError } from './simulation-error.ts';
import { Simulation } from './simulation.ts';
import { describeCounts, newCounts } from './world/counts.ts';
import type { Pace } from './world/profile.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: '1' },
    of: { type: 'string', default: 'raft' },
    pace: { type: 'string', default: 'dense' },
    figures: { type: 'string' },
    replaces: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});

const pace = parsePace(values.pace);
const seconds = Number(values.seconds);
const print = values.trace ? { print: (line: string) => void process.stdout.write(`${line}\n`) } : {};
switch (values.of) {
  case 'raft':
    await runMany(newCounts(), (seed) => Simulation.run(seed, { seconds, pace, ...print }));
    break;
  case 'server':
    await runMany(newServerCounts(), (seed) =>
      ServerSimulation.run(seed, { seconds, profile: values.replaces ? { replaces: true } : {}, ...print }),
    );
    break;
  default:
    throw new RangeError(`--of must be raft or server, not "${values.of}"`);
}

interface Outcome<Name extends string> {
  readonly counts: Readonly<Record<Name | 'simulatedSeconds', number>>;
  readonly lines: number;
  readonly digest: string;
}

async function runMany<Name extends string>(
  counts: Record<Name | 'simulatedSeconds', number>,
  simulate: (seed: number) => Promise<Outcome<Name>>,
): Promise<void> {
  const run = new LongRun<Name>({ counts, pace, seconds, firstSeed: Number(values.seed) });
  for (let at = 0; at < Number(values.runs); at++) {
    const seed = Number(values.seed) + at;
    try {
      const outcome = await simulate(seed);
      run.add(outcome.counts);
      const tookMs = Math.round(run.lastCpuMs);
      process.stdout.write(`seed ${seed}: ${outcome.lines} lines ${outcome.digest}, ${tookMs} ms of a core\n`);
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error;
      run.addBreak(error);
      process.stdout.write(`${error.message}\n`);
    }
    if (values.figures !== undefined) run.write(values.figures);
  }
  process.stdout.write(`${describeCounts(run.counts)}\n${run.describe()}\n`);
  process.exitCode = run.breakCount === 0 ? 0 : 1;
}

/** @throws RangeError for another word. */
function parsePace(text: string): Pace {
  if (text === 'dense' || text === 'sparse') return text;
  throw new RangeError(`--pace must be dense or sparse, not "${text}"`);
}
