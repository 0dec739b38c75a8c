/** Starts a worker thread, from the built package and from its sources alike. */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Merges make next to no garbage that lives, so a young generation of a fraction of V8's default does as well. */
const LIMITS: WorkerOptions = { resourceLimits: { maxYoungGenerationSizeMb: 4 } };

/**
 * Runs the module `name` (without its ending) that lies beside the calling one.
 *
 * From sources (tests, tsx) the thread first registers tsx, since `--import tsx` does not reach workers on Node 20; tsx is
 * resolved from the calling module, wherever the process was started.
 *
 * @param base - The caller's `import.meta.url`.
 * @throws Where tsx is needed and not installed. What goes wrong inside the thread ends it with an `error` event.
 */
export function startWorker(name: string, base: string): Worker {
  if (!base.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, base), LIMITS);
  // What `require` finds is the CommonJS half, which cannot be imported; the other half lies beside it.
  const api = pathToFileURL(createRequire(base).resolve('tsx/esm/api'));
  const loader = JSON.stringify(new URL('index.mjs', api).href);
  const module = JSON.stringify(new URL(`./${name}.ts`, base).href);
  const source = `import(${loader}).then(({ register }) => { register(); return import(${module}); })`;
  return new Worker(source, { ...LIMITS, eval: true, execArgv: ['--conditions=@kayadb/source'] });
}
