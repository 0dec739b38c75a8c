/**
 * A simulated disk that takes its time: some calls take effect late, some answer late, while others go on.
 *
 * A simulated disk does its work within the call, so that on it alone a program that does not wait for a sync, or waits for it and then
 * takes for durable what was written meanwhile, is never caught.
 */

import type { SeededRandom } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { InterceptedFileSystem } from '@kayadb/vfs/testing';

const LATE = new Set(['sync', 'syncDirectory', 'rename', 'write', 'unlink', 'link', 'readFile']);
/** Bound: promise reactions that run meanwhile. */
const MAX_TURNS = 60;
const READY: Promise<void> = Promise.resolve();

/** Requires: nobody changes the data of a write before its promise resolves. Calls that are not asynchronous are never late. */
export function lateDisk(disk: FileSystem, random: SeededRandom): FileSystem {
  return new InterceptedFileSystem(disk, {
    call: async ({ kind }, run) => {
      if (!LATE.has(kind) || random.chance(0.5)) return run();
      const turns = 1 + random.int(MAX_TURNS);
      if (random.chance(0.5)) {
        await pass(turns);
        return run();
      }
      const result = await run();
      await pass(turns);
      return result;
    },
    callSync: (_operation, run) => run(),
  });
}

/** Lets so many promise reactions run. */
export async function pass(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await READY;
}
