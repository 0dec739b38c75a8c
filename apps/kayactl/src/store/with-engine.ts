/** Opens the store in the folder that `--data` names, for commands that no server answers, and closes it whatever happens. */

import type { Engine } from '@kayadb/engine';

import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../invocation.ts';
import { openEmbeddedEngine } from './embedded-store.ts';
import { useAndClose } from './use-and-close.ts';

/**
 * Runs `use` on the open store. The store is closed before this resolves or rejects.
 *
 * @throws CliError KAYA_LOCAL_ONLY with --server.
 */
export async function withEngine<Result>(
  context: CommandContext,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  refuseServer(context);
  return useAndClose(await openEmbeddedEngine(context, { create: false }), use);
}

/** @throws CliError KAYA_LOCAL_ONLY with --server. */
export function refuseServer({ globals }: CommandContext): void {
  if (globals.servers.length === 0) return;
  throw new CliError(
    'KAYA_LOCAL_ONLY',
    'this command works on the files of a folder; a server cannot be asked for it',
    {
      hint: 'Leave --server out, stop the server, and run it on the machine that holds the folder.',
    },
  );
}
