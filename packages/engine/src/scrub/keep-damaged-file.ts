/** Nothing damaged is ever removed: before another file takes its name or its place, its bytes get a second name. */

import { type FileSystem, isExists, isNotFound } from '@kayadb/vfs';

/** No name of a store, so opening leaves it alone for a person to look at. */
export const DAMAGED_SUFFIX = '.damaged';

/** A name taken by an earlier one stays its own. @throws FileSystemError where links are not to be had: then nothing is replaced. */
export async function keepDamagedFile(fs: FileSystem, directory: string, name: string): Promise<void> {
  const path = `${directory}/${name}`;
  try {
    await fs.link(path, `${path}${DAMAGED_SUFFIX}`);
  } catch (error) {
    if (!isExists(error) && !isNotFound(error)) throw error;
  }
}
