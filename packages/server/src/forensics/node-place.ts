/** Where the parts of a node's directory lie, as paths inside of it; found without changing anything. Format: docs/format/node.md. */

import { CorruptionError } from '@kayadb/engine';
import type { RaftIdentity } from '@kayadb/raft';
import { type FileSystem, isNotFound } from '@kayadb/vfs';

import { DirectoryError } from '../directory/directory-error.ts';
import { decodeNodeFile, NODE_FILE, type NodeIdentity } from '../directory/node-file.ts';
import { listStores } from '../machine/group-folders.ts';

export const GROUP_FOLDER = 'groups/0';
export const RAFT_FOLDER = `${GROUP_FOLDER}/raft`;
const GROUPS_FOLDER = 'groups';
const CURRENT_FILE = 'CURRENT';

/** Whether `directory` is a node's, as far as names tell: also one that has lost its NODE. */
export async function isNodeDirectory(fs: FileSystem, directory: string): Promise<boolean> {
  if ((await fs.stat(`${directory}/${NODE_FILE}`)) !== undefined) return true;
  if ((await fs.stat(`${directory}/${CURRENT_FILE}`)) !== undefined) return false;
  return (await fs.stat(`${directory}/${GROUPS_FOLDER}`))?.kind === 'directory';
}

/**
 * Whose directory it is.
 *
 * @throws CorruptionError, with NODE as its file; EngineError KAYA_UNSUPPORTED; FileSystemError.
 * @throws DirectoryError KAYA_NODE_LOST when there is no NODE.
 */
export async function readIdentity(fs: FileSystem, directory: string): Promise<NodeIdentity> {
  try {
    return decodeNodeFile(await fs.readFile(`${directory}/${NODE_FILE}`));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new DirectoryError('KAYA_NODE_LOST', `${directory} has no file NODE, which says whose it is`);
  }
}

/** Of a node in a cluster; undefined before it is in one. */
export function raftIdentityOf({ cluster, node, incarnation }: NodeIdentity): RaftIdentity | undefined {
  return cluster === undefined
    ? undefined
    : { clusterId: Uint8Array.from(Buffer.from(cluster, 'hex')), nodeId: node, incarnation };
}

/** The folder of the store in force, inside the directory, and the index of the snapshot that it came with; undefined when there is none. */
export async function findStore(
  fs: FileSystem,
  directory: string,
): Promise<{ readonly folder: string; readonly baseIndex: number; readonly others: readonly string[] } | undefined> {
  const group = `${directory}/${GROUP_FOLDER}`;
  if ((await fs.stat(group)) === undefined) return undefined;
  const stores = await listStores(fs, group);
  const baseIndex = stores.at(-1);
  if (baseIndex === undefined) return undefined;
  const folderOf = (index: number): string => `${GROUP_FOLDER}/store-${index}`;
  return { folder: folderOf(baseIndex), baseIndex, others: stores.slice(0, -1).map(folderOf) };
}

/** Every folder of a store, inside the directory: mostly one. */
export async function storeFolders(fs: FileSystem, directory: string): Promise<readonly string[]> {
  const place = await findStore(fs, directory);
  return place === undefined ? [] : [...place.others, place.folder];
}

/** @throws CorruptionError when there is no store. */
export async function requireStore(
  fs: FileSystem,
  directory: string,
): Promise<{ readonly folder: string; readonly baseIndex: number }> {
  const store = await findStore(fs, directory);
  if (store !== undefined) return store;
  throw new CorruptionError(GROUP_FOLDER, 0, 'it holds no store; see kayactl recover --dry-run for what there is');
}
