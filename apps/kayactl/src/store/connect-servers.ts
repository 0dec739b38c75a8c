/** Clients made of the global flags: one place decides what every connection is given. */

import type { Client, ClientOptions } from '@kayadb/client';

import type { CommandContext } from '../invocation.ts';
import { tellWaiting } from './tell-waiting.ts';
import { useAndClose } from './use-and-close.ts';

/**
 * A client that tells when it has to wait for long, unless it is given an `onEvent`. Nothing is dialed before the first call.
 *
 * @param endpoints - By default those of the command line.
 */
export function connectServers(
  context: CommandContext,
  endpoints: readonly string[] = context.globals.servers,
  options: Pick<ClientOptions, 'timeoutMs' | 'retry' | 'onEvent'> = {},
): Client {
  const { timeoutMs, deadlineMs, clientToken, operatorToken, tls } = context.globals;
  const onEvent = tellWaiting(context);
  return context.io.connect(endpoints, { timeoutMs, deadlineMs, clientToken, operatorToken, tls, onEvent, ...options });
}

/** Runs `use` on a client of the servers of the command line, which is closed before this resolves or rejects. */
export function withServers<Result>(
  context: CommandContext,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  return useAndClose(connectServers(context), use);
}
