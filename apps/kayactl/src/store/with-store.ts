/** Opens what the global flags name, and closes it whatever happens. */

import { resolve } from 'node:path';

import type { CommandContext } from '../invocation.ts';
import { isNodeFolder } from '../node/node-folder.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { openNodeStore } from './node-store.ts';
import { openRemoteStore } from './remote-store.ts';
import type { Store } from './store.ts';
import { useAndClose } from './use-and-close.ts';

export interface WithStoreOptions {
  /** Whether a command may make a store in a folder that has none: only those that write. */
  readonly create: boolean;
  /** Whether the directory of a node will do, of which rows can only be read. Default false. */
  readonly readsNode?: boolean;
}

/** Runs `use` on the open store. The store is closed before this resolves or rejects. */
export async function withStore<Result>(
  context: CommandContext,
  options: WithStoreOptions,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  return useAndClose(await openStore(context, options), use);
}

async function openStore(context: CommandContext, options: WithStoreOptions): Promise<Store> {
  if (context.globals.servers.length > 0) return openRemoteStore(context);
  const directory = resolve(context.globals.data);
  const isNode = options.readsNode === true && (await isNodeFolder(context, directory));
  return isNode ? openNodeStore(context, directory) : openEmbeddedStore(context, options);
}
