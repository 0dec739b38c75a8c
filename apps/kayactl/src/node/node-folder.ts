/** Tells the directory of a node from the folder of a store, and gives forensics what it needs. The server's code is loaded only for a node. */

import type { InspectNodeOptions } from '@kayadb/server';

import type { OnProgress } from '../byte-progress.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../invocation.ts';
import { shellWord } from '../shell-word.ts';

/** Names of which a node's directory has one at least: docs/format/node.md. */
const NODE_NAMES = ['NODE', 'groups'] as const;

/** Whether `directory` is a node's. Cheap where it is not. */
export async function isNodeFolder({ io: { fileSystem } }: CommandContext, directory: string): Promise<boolean> {
  for (const name of NODE_NAMES) {
    if ((await fileSystem.stat(`${directory}/${name}`)) === undefined) continue;
    const { isNodeDirectory } = await import('@kayadb/server');
    return isNodeDirectory(fileSystem, directory);
  }
  return false;
}

export function nodeOptions({ io }: CommandContext, onProgress?: OnProgress): InspectNodeOptions {
  const { fileSystem, processes, clock, yieldTurn, signal } = io;
  return { fs: fileSystem, processes, clock, yieldTurn, signal, ...(onProgress && { onProgress }) };
}

/** For commands that write, or need a store that is open. @throws CliError KAYA_USAGE for the directory of a node. */
export async function refuseNodeFolder(context: CommandContext, directory: string): Promise<void> {
  if (!(await isNodeFolder(context, directory))) return;
  throw usageError(
    `${directory} is the directory of a node, which only the node itself writes to`,
    `Talk to a running server with --server HOST:PORT; "kayactl --data ${shellWord(directory)} export" reads the rows of a stopped one.`,
  );
}
