/** A folder of a test on a real disk, which stays when the test fails. */

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished as ofTheTestThatRuns } from 'vitest';

/** Where files outlive a restart of the machine; a folder for temporary files is often kept in memory. */
const DISK = existsSync('/var/tmp') ? '/var/tmp' : tmpdir();

export interface RunFolder {
  readonly path: string;
  /** A path in it. */
  at(...parts: readonly string[]): string;
}

/**
 * Requires: a test is running. It is removed when the test has passed, and named when it has failed.
 *
 * @param onTestFinished - Of the test's context, where several run at once.
 */
export function openRunFolder(onTestFinished: typeof ofTheTestThatRuns = ofTheTestThatRuns): RunFolder {
  const path = mkdtempSync(join(DISK, 'kayadb-cluster-'));
  mkdirSync(join(path, 'logs'));
  onTestFinished(({ task }) => {
    if (task.result?.state === 'fail') console.error(`data, logs and history of the failed run are in ${path}`);
    else rmSync(path, { recursive: true, force: true });
  });
  return { path, at: (...parts) => join(path, ...parts) };
}
