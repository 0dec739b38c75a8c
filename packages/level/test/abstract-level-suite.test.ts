/** abstract-level's own suite, whole: what makes a database one of Level's. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { openFolder } from './support/test-folder.ts';

const PROGRAM = fileURLToPath(new URL('abstract-level-suite.ts', import.meta.url));
/** What classic-level passes of the same version of the suite. */
const CLASSIC_LEVEL_ASSERTIONS = 5168;
/** Bound: the suite opens more than a thousand stores. */
const TIMEOUT_MS = 300_000;

interface SuiteRun {
  readonly exitCode: number | null;
  readonly tap: string;
  readonly stderr: string;
}

describe('the abstract-level suite', () => {
  test('passes whole, with nothing left out', { timeout: TIMEOUT_MS }, async () => {
    await using folder = await openFolder();

    const { exitCode, tap, stderr } = await runSuite(folder.path);
    const lines = tap.split('\n');
    const passed = lines.filter((line) => /^ok \d/.test(line));
    const failed = tap.match(/^not ok \d[^]*?(?:^ {2}\.\.\.$|$(?![^]))/gm) ?? [];
    // TAP marks whole tests and single assertions that are not counted with a word in capitals.
    const leftOut = lines.filter((line) => /^(?:(?:not )?ok \d.* )?# [A-Z]{4}\b/.test(line));

    expect(stderr).toBe('');
    expect(failed).toEqual([]);
    expect(leftOut).toEqual([]);
    expect(lines).toContain(`# tests ${passed.length}`);
    expect(passed.length).toBeGreaterThanOrEqual(CLASSIC_LEVEL_ASSERTIONS);
    expect(exitCode).toBe(0);
  });
});

function runSuite(folder: string): Promise<SuiteRun> {
  const argv = ['--import', 'tsx', '--conditions=@kayadb/source', PROGRAM, folder];
  const child = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const parts = { tap: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (parts.tap += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (parts.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, ...parts }));
  });
}
