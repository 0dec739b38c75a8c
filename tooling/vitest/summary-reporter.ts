/**
 * Ends a run with one plain line, `N passed, N failed, N skipped`, so that a script can read the result.
 *
 * Invariant: a run that vitest calls failed never says `0 failed`. A file that could not be loaded, a suite whose hook
 * failed and an error outside every test count as one failure each: otherwise their tests would vanish from the sum.
 */

import type { Reporter, TestModule } from 'vitest/node';

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: string): void {
    const line = summaryLine(modules, unhandledErrors.length, reason);
    // Only at exit is it sure that no other reporter writes after it. Writes to files and pipes are synchronous there.
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}

/** The line for these results. `reason` is vitest's own verdict: `passed`, `failed` or `interrupted`. */
export function summaryLine(modules: readonly TestModule[], unhandledErrors: number, reason: string): string {
  let passed = 0;
  let failed = unhandledErrors;
  let skipped = 0;
  for (const module of modules) {
    if (module.errors().length > 0) failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'failed') failed += 1;
      else skipped += 1;
    }
  }
  if (failed === 0 && reason !== 'passed') failed = 1;
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
