/** A file system whose calls take a few turns of the promises, at random, so that what goes on at once meets in many orders. */

import type { SeededRandom } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { InterceptedFileSystem } from '@kayadb/vfs/testing';

const MAX_TURNS = 6;
const READY: Promise<void> = Promise.resolve();

export function slowFileSystem(inner: FileSystem, random: SeededRandom): FileSystem {
  const pause = async (): Promise<void> => {
    for (let turns = random.int(MAX_TURNS); turns > 0; turns--) await READY;
  };
  return new InterceptedFileSystem(inner, {
    call: async (_operation, run) => {
      await pause();
      const result = await run();
      await pause();
      return result;
    },
    callSync: (_operation, run) => run(),
  });
}
