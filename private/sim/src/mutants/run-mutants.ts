/**
 * A program: simulates clusters whose sources have one planted bug each, and says which seeds find it.
 * `--seeds N` (default 20) each, `--seconds S` (default 60), and names of mutants; all of them without names. Ends with 1 when one is not found.
 */

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { createViteServer } from 'vitest/node';

import type { Simulation as SimulationClass } from '../simulation.ts';
import { fileOf, type Mutant, plant } from './mutant.ts';
import { mutants } from './mutants.ts';

const { values, positionals } = parseArgs({
  options: { seeds: { type: 'string', default: '20' }, seconds: { type: 'string', default: '60' } },
  allowPositionals: true,
});
interface Loaded {
  readonly Simulation: typeof SimulationClass;
}

const SIMULATION = fileURLToPath(new URL('../simulation.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const chosen = positionals.length === 0 ? mutants : mutants.filter(({ name }) => positionals.includes(name));
let survivors = 0;
for (const mutant of chosen) {
  const found = await tryMutant(mutant);
  if (found === undefined) survivors++;
  process.stdout.write(`${mutant.name}: ${found ?? 'survived'}\n`);
}
process.stdout.write(`${chosen.length} mutants, ${survivors} survived\n`);
process.exit(survivors === 0 ? 0 : 1);

/** @returns Which seed found it, and what it found; undefined when none did. */
async function tryMutant(mutant: Mutant): Promise<string | undefined> {
  const file = fileOf(mutant);
  let isPlanted = false;
  const server = await createViteServer({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    server: { middlewareMode: true, watch: null },
    appType: 'custom',
    // What this version of Node.js can not read is written in older words.
    oxc: { target: 'node20' },
    ssr: { resolve: { conditions: ['@kayadb/source'] } },
    plugins: [
      {
        name: 'planted-bug',
        enforce: 'pre',
        transform(source: string, id: string) {
          if (id.split('?')[0] !== file) return undefined;
          isPlanted = true;
          return plant(mutant, source);
        },
      },
    ],
  });
  try {
    const { Simulation } = (await server.ssrLoadModule(SIMULATION)) as Loaded;
    if (!isPlanted) throw new Error(`${mutant.name}: its file was not loaded`);
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      try {
        await Simulation.run(seed, { seconds: Number(values.seconds) });
      } catch (error) {
        return `seed ${seed}: ${String(error).split('\n')[0]?.slice(0, 160)}`;
      }
    }
    return undefined;
  } finally {
    await server.close();
  }
}
