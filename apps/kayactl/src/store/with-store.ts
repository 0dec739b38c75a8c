/** Opens what the global flags name, and closes it whatever happens. */

import type { CommandContext } from '../invocation.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { openRemoteStore } from './remote-store.ts';
import type { Store } from './store.ts';
import { useAndClose } from './use-and-close.ts';

export interface WithStoreOptions {
  /** Whether a command may make a store in a folder that has none: only those that write. */
  readonly create: boolean;
}

/** Runs `use` on the open store. The store is closed before this resolves or rejects. */
export async function withStore<Result>(
  context: CommandContext,
  options: WithStoreOptions,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const remote = context.globals.servers.length > 0;
  return useAndClose(remote ? openRemoteStore(context) : await openEmbeddedStore(context, options), use);
}
