/** Takes every step, whatever the steps before came to: how parts are closed, so that none is left open. */

import { joinFailures } from './join-failures.ts';

/**
 * Runs `steps` one after another.
 *
 * @param what - For the message, when several fail.
 * @throws What the one step failed with, or what `joinFailures` makes of several.
 */
export async function runAll(what: string, steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw joinFailures(failures, what);
}
