/** Simulates clusters whose sources have one planted bug, seed by seed, until one of the checks finds it. */

import { fileURLToPath } from 'node:url';

import { createViteServer } from 'vitest/node';

import type { Finder } from '../checks/finder.ts';
import type { SimulationError } from '../simulation-error.ts';
import { fileOf, type Mutant, plant } from './mutant.ts';

export interface Hunt {
  readonly firstSeed: number;
  /** Bound: seeds that are tried. */
  readonly seeds: number;
  /** Simulated time with faults, per seed. */
  readonly seconds: number;
}

export type HuntResult =
  | {
      readonly kind: 'found';
      /** The one that found it. */
      readonly seed: number;
      /** Seeds that were tried, that one included. */
      readonly tried: number;
      readonly finder: Finder;
      /** Whether it is one of those that the mutant names. */
      readonly isNamed: boolean;
      readonly what: string;
    }
  | { readonly kind: 'survived'; readonly tried: number };

interface Simulated {
  run(seed: number, options: { readonly seconds: number }): Promise<unknown>;
}

interface Loaded {
  readonly Simulation?: Simulated;
  readonly ServerSimulation?: Simulated;
}

const SIMULATIONS = {
  raft: fileURLToPath(new URL('../simulation.ts', import.meta.url)),
  server: fileURLToPath(new URL('../server/server-simulation.ts', import.meta.url)),
};
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @throws RangeError when the mutant has lost its place, and Error when its file is not part of the simulation. */
export async function tryMutant(mutant: Mutant, { firstSeed, seeds, seconds }: Hunt): Promise<HuntResult> {
  const file = fileOf(mutant);
  let isPlanted = false;
  const server = await createViteServer({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    server: { middlewareMode: true, watch: null, ws: false },
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
    const loaded = (await server.ssrLoadModule(SIMULATIONS[mutant.of ?? 'raft'])) as Loaded;
    const simulated = loaded.Simulation ?? loaded.ServerSimulation;
    if (simulated === undefined) throw new Error('there is no simulation');
    if (!isPlanted) throw new Error(`${mutant.name}: its file was not loaded`);
    for (let tried = 1; tried <= seeds; tried++) {
      const seed = firstSeed + tried - 1;
      try {
        await simulated.run(seed, { seconds });
      } catch (error) {
        return foundBy(mutant, seed, tried, error);
      }
    }
    return { kind: 'survived', tried: seeds };
  } finally {
    await server.close();
  }
}

/** @throws What is no break that a check has found. */
function foundBy(mutant: Mutant, seed: number, tried: number, error: unknown): HuntResult {
  // The class is another one: that of the module with the bug in it.
  if (!(error instanceof Error) || error.name !== 'SimulationError') throw error;
  const { finder, what } = error as SimulationError;
  return { kind: 'found', seed, tried, finder, isNamed: mutant.foundBy.includes(finder), what: firstLine(what) };
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.slice(0, 160);
}

/** A result in words. */
export function describeHunt(result: HuntResult): string {
  if (result.kind === 'survived') return `survived ${result.tried} seeds`;
  const { seed, tried, finder, isNamed, what } = result;
  return `seed ${tried} (${seed}) by ${finder}${isNamed ? '' : ', WHICH IT DOES NOT NAME'}: ${what}`;
}
