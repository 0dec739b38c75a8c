/** Starts a worker thread, from the built package and from its sources alike. */

import { Worker } from 'node:worker_threads';

/**
 * Runs the module `name` (without its ending) that lies beside the calling one.
 *
 * From sources (tests, tsx) the thread first registers tsx, since `--import tsx` does not reach workers on Node 20.
 *
 * @param base - The caller's `import.meta.url`.
 */
export function startWorker(name: string, base: string): Worker {
  if (!base.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, base));
  const url = JSON.stringify(new URL(`./${name}.ts`, base).href);
  const source = `import('tsx/esm/api').then(({ register }) => { register(); return import(${url}); })`;
  return new Worker(source, { eval: true, execArgv: ['--conditions=@kayadb/source'] });
}
