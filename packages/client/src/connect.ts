/** Makes clients. One client speaks one version, which its first connection decides: docs/decisions/20261122-client-versions.md. */

import type { Client } from './client.ts';
import { type ClientOptions, type ClientSettings, resolveOptions } from './options.ts';
import { Client1 } from './protocol-1/client-1.ts';
import { Client2 } from './protocol-2/client-2.ts';
import { UndecidedClient } from './undecided-client.ts';

/**
 * Makes a client. Nothing is dialed before the first call.
 *
 * @param endpoints - `host:port`, one or several nodes of the same cluster.
 * @throws TypeError, RangeError for endpoints or options that cannot be.
 */
export function connect(endpoints: string | readonly string[], options: ClientOptions = {}): Client {
  return open(resolveOptions(endpoints, options));
}

function open(settings: ClientSettings): Client {
  if (settings.protocol === 1) return new Client1(settings);
  const latest = new Client2(settings);
  return settings.protocol === 2 ? latest : new UndecidedClient(settings, latest, () => new Client1(settings));
}
