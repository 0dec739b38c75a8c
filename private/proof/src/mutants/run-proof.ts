/**
 * A program: runs one proof on sources with one planted bug and says what came of it, as one line of JSON, the last it prints.
 * Arguments: the name of the mutant. A process of its own, as nothing of a planted bug may stay behind.
 */

import { fileURLToPath } from 'node:url';

import { startVitest, type TestModule, type Vite } from 'vitest/node';

import { type Mutant, fileOf, plant, type ProofName } from './mutant.ts';
import { control, controls, mutants } from './mutants.ts';
import type { ProofOutcome } from './proof-outcome.ts';

/**
 * Assertions, and the engine's own errors where the proof took it for granted that the engine works. Any other error may be a mutant
 * that does not make sense.
 */
const FOUND_BY = new Set([
  'AssertionError',
  'CorruptionError',
  'DirectoryLockedError',
  'EngineError',
  'FileSystemError',
]);
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

const name = process.argv[2];
const mutant = [control, ...controls, ...mutants].find((one) => one.name === name);
if (mutant === undefined) throw new RangeError(`there is no mutant ${String(name)}`);
const outcome = await runProof(mutant);
process.stdout.write(`\n${JSON.stringify(outcome)}\n`);
process.exit(0);

async function runProof(planted: Mutant): Promise<ProofOutcome> {
  const startMs = performance.now();
  const plugin = plantedBug(planted);
  const vitest = await startVitest(
    'test',
    filesOf(planted.proof),
    {
      config: false,
      root: PACKAGE,
      watch: false,
      bail: 1,
      pool: 'forks',
      maxWorkers: 1,
      passWithNoTests: false,
      reporters: ['default'],
      ...(planted.test !== undefined && { testNamePattern: planted.test }),
    },
    { plugins: [plugin], ssr: { resolve: { conditions: ['@kayadb/source'] } } },
  );
  const modules = vitest.state.getTestModules();
  await vitest.close();
  // The test runner changes the exit code of this process.
  process.exitCode = 0;
  return { ...judge(modules), isPlanted: plugin.isPlanted(), seconds: (performance.now() - startMs) / 1000 };
}

/** Which half a decoder is in changes with the list of them. */
function filesOf(proof: ProofName): string[] {
  const names = proof === 'fuzz' ? ['fuzz', 'fuzz-other-half'] : [proof];
  return names.map((each) => `test/${each}.test.ts`);
}

function judge(modules: readonly TestModule[]): Pick<ProofOutcome, 'verdict' | 'message'> {
  let passed = 0;
  for (const module of modules) {
    const [broken] = module.errors();
    if (broken !== undefined) return { verdict: 'broken', message: broken.message };
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed++;
      if (result.state !== 'failed') continue;
      const [error] = result.errors;
      return { verdict: FOUND_BY.has(error?.name ?? '') ? 'found' : 'thrown', message: describe(error) };
    }
  }
  return passed > 0 ? { verdict: 'survived', message: '' } : { verdict: 'broken', message: 'no test ran' };
}

/** The first finding, where findings were compared with none. */
function describe(
  error: { readonly name?: string; readonly message: string; readonly actual?: unknown } | undefined,
): string {
  return `${error?.name}: ${error?.message.slice(0, 300)} ${JSON.stringify(error?.actual ?? '').slice(0, 600)}`;
}

/** Changes the file of the mutant while it is loaded. Before all other plugins, so that it sees the text as it is on disk. */
function plantedBug(planted: Mutant): Vite.Plugin & { readonly isPlanted: () => boolean } {
  const file = fileOf(planted);
  let isPlanted = false;
  return {
    name: 'planted-bug',
    enforce: 'pre',
    transform(source, id) {
      if (id.split('?')[0] !== file) return undefined;
      isPlanted = true;
      return plant(planted, source);
    },
    isPlanted: () => isPlanted,
  };
}
