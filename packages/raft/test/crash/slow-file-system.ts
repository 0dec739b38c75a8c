/** A file system whose calls take a few turns of the promises, at random, so that what goes on at once meets in many orders. */

import type { SeededRandom } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { InterceptedFileSystem } from '@kayadb/vfs/testing';

const MAX_TURNS = 6;
/** Some take so long that others begin and end meanwhile. */
const MAX_LONG_TURNS = 80;
const READY: Promise<void> = Promise.resolve();

export function slowFileSystem(inner: FileSystem, random: SeededRandom): FileSystem {
  const pause = async (): Promise<void> => {
    const turns = random.int(random.chance(0.2) ? MAX_LONG_TURNS : MAX_TURNS);
    for (let i = 0; i < turns; i++) await READY;
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
