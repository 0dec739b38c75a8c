/** The HTTP listener of the program: health, metrics and status. docs/reference/server.md, "HTTP" */

import { type RunningNode, serveHttp } from '@kayadb/server';
import { formatEndpoint, type SecureIdentity } from '@kayadb/transport';

import { type Config, toldHosts } from './config.ts';
import type { ServerLogger } from './logger.ts';
import type { World } from './world.ts';

export interface Reports {
  /** Of what a person looks at first. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens as `config` says.
 *
 * @returns `undefined` when it says not to.
 * @throws TransportError KAYA_LISTEN_FAILED
 */
export async function openReports(
  node: RunningNode,
  { clock, wallClock }: World,
  config: Config,
  logger: ServerLogger,
  identity: SecureIdentity | undefined,
): Promise<Reports | undefined> {
  const { reportsAddress: address, clientToken, tls } = config;
  if (address === undefined) return undefined;
  const listener = await serveHttp({
    view: node.view,
    // Word for word what clients are told.
    reports: node.reports,
    address,
    // Names under which this machine is known already, so whoever monitors it may ask by them.
    allowedHosts: toldHosts(config),
    // What is asked of clients is asked here too: a port with laxer rules would be the way around them.
    tls:
      identity === undefined || tls === undefined
        ? undefined
        : { identity, minVersion: tls.minClientVersion, requiresPeerCertificate: tls.requiresClientCertificate },
    clientToken,
    clock,
    wallClock,
    logger,
  });
  const scheme = identity === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${formatEndpoint(listener.address)}/v1/status`,
    close: () => listener.close(),
  };
}
