import { readdirSync } from 'node:fs';

import { defineConfig } from 'vitest/config';

import { SummaryReporter } from './tooling/vitest/summary-reporter.ts';

/** Every folder of the workspace is one vitest project, so that `--project @kayadb/engine` selects a package. */
const projects = ['packages', 'apps', 'private'].flatMap((group) =>
  readdirSync(group).map((folder) => ({
    extends: true as const,
    test: { name: `@kayadb/${folder}`, root: `${group}/${folder}`, include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
  })),
);

export default defineConfig({
  ssr: { resolve: { conditions: ['@kayadb/source'] } },
  test: {
    projects,
    pool: 'forks',
    passWithNoTests: false,
    reporters: ['default', new SummaryReporter()],
  },
});
