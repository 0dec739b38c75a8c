import { describe, expect, test } from 'vitest';
import type { TestModule } from 'vitest/node';

import { summaryLine } from './summary-reporter.ts';

interface PlannedModule {
  readonly states?: readonly string[];
  readonly moduleErrors?: number;
  readonly suiteErrors?: number;
}

/** What the reporter reads of vitest's result, and no more. */
function moduleOf({ states = [], moduleErrors = 0, suiteErrors = 0 }: PlannedModule): TestModule {
  const errors = (count: number) => () => Array.from({ length: count }, () => ({ message: 'planned' }));
  const module = {
    errors: errors(moduleErrors),
    children: {
      allSuites: () => [{ errors: errors(suiteErrors) }],
      allTests: () => states.map((state) => ({ result: () => ({ state }) })),
    },
  };
  return module as unknown as TestModule;
}

describe('summaryLine', () => {
  test('adds up the tests of all files', () => {
    const modules = [
      moduleOf({ states: ['passed', 'failed', 'skipped'] }),
      moduleOf({ states: ['passed', 'pending'] }),
    ];

    const line = summaryLine(modules, 0, 'failed');

    expect(line).toBe('2 passed, 1 failed, 2 skipped');
  });

  test.each([
    ['a file that could not be loaded', { moduleErrors: 1 }, 0],
    ['a suite whose hook failed', { states: ['skipped'], suiteErrors: 1 }, 0],
    ['an error outside every test', { states: ['passed'] }, 1],
  ])('counts %s as a failure', (_, planned, unhandledErrors) => {
    const line = summaryLine([moduleOf(planned)], unhandledErrors, 'failed');

    expect(line).toContain(' 1 failed,');
  });

  test('never says that nothing failed of a run that vitest calls failed', () => {
    const line = summaryLine([], 0, 'interrupted');

    expect(line).toBe('0 passed, 1 failed, 0 skipped');
  });
});
