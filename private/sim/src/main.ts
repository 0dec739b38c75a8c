/**
 * One simulation, or several with seeds one after the other: `node --import tsx --conditions=@kayadb/source private/sim/src/main.ts --seed N --seconds S`.
 * `--runs N` goes on with the next seeds, `--trace` prints every event. Ends with 0 when nothing broke, with 1 and the seed when something did.
 */

import { parseArgs } from 'node:util';

import { Simulation, SimulationError } from './simulation.ts';
import { type Counts, describeCounts, sumCounts } from './world/counts.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
});

const seconds = Number(values.seconds);
const all: Counts[] = [];
let failures = 0;
for (let at = 0; at < Number(values.runs); at++) {
  const seed = Number(values.seed) + at;
  const print = values.trace ? { print: (line: string) => void process.stdout.write(`${line}\n`) } : {};
  const begun = process.cpuUsage();
  try {
    const { counts, digest, lines, brokenAtEnd } = await Simulation.run(seed, { seconds, ...print });
    all.push(counts);
    const { user, system } = process.cpuUsage(begun);
    const tookMs = Math.round((user + system) / 1000);
    process.stdout.write(
      `seed ${seed}: ${lines} lines ${digest.slice(0, 12)}, ${brokenAtEnd} broken, ${tookMs} ms of a core\n`,
    );
  } catch (error) {
    if (!(error instanceof SimulationError)) throw error;
    failures++;
    process.stdout.write(`${error.message}\n`);
  }
}
process.stdout.write(`${all.length} runs, ${failures} failures: ${describeCounts(sumCounts(all))}\n`);
process.exitCode = failures === 0 ? 0 : 1;
