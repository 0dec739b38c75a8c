/** Clients made of the global flags: one place decides what every connection is given. */

import type { Client, ClientOptions } from '@kayadb/client';

import type { CommandContext } from '../invocation.ts';
import { useAndClose } from './use-and-close.ts';

/** Nothing is dialed before the first call. @param endpoints - By default those of the command line. */
export function connectServers(
  { io, globals }: CommandContext,
  endpoints: readonly string[] = globals.servers,
  options: Pick<ClientOptions, 'protocol' | 'deadlineMs' | 'retry'> = {},
): Client {
  const { timeoutMs, clientToken, operatorToken, tls } = globals;
  return io.connect(endpoints, { timeoutMs, clientToken, operatorToken, tls, ...options });
}

/** Runs `use` on a client of the servers of the command line, which is closed before this resolves or rejects. */
export function withServers<Result>(
  context: CommandContext,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  return useAndClose(connectServers(context), use);
}
