/** One run for the whole repository: every folder of the workspace is a project, and so are the tools. */

import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

import { FileSequencer } from './tooling/vitest/file-sequencer.ts';
import { SummaryReporter } from './tooling/vitest/summary-reporter.ts';

const workspaces = ['packages', 'apps', 'private'].flatMap((group) =>
  readdirSync(group).map((folder) => ({ name: `@kayadb/${folder}`, root: `${group}/${folder}` })),
);

const bench = { name: '@kayadb/bench', root: 'bench' };

/**
 * Files of these get a process each: they measure memory and time, or leave processes and disks behind when they fail. Elsewhere a worker goes on with what it has loaded, since most files
 * are through sooner than their imports.
 */
const isolated: readonly string[] = ['@kayadb/bench', '@kayadb/e2e', '@kayadb/level', '@kayadb/proof', '@kayadb/sim'];

/** Named as the packages are, so that `--project @kayadb/engine` selects one. */
const projects = [...workspaces, bench, { name: 'tooling', root: 'tooling' }].map(({ name, root }) => ({
  extends: true as const,
  test: {
    name,
    root,
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    isolate: isolated.includes(name),
  },
}));

export default defineConfig({
  ssr: { resolve: { conditions: ['@kayadb/source'] } },
  test: {
    projects,
    pool: 'forks',
    // One of them mostly waits for processes and disks: see tooling/vitest/order-files.ts.
    maxWorkers: availableParallelism() + 1,
    // Bound: what hangs. A test that is slow on a busy machine is not wrong.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { sequencer: FileSequencer },
    passWithNoTests: false,
    reporters: ['default', new SummaryReporter()],
  },
});
