/** What must hold before anything is opened: where the node may listen, as whom, and on which folder. */

import { type BindRequest, checkBind } from '@kayadb/server';
import { formatEndpoint } from '@kayadb/transport';
import type { FileSystem } from '@kayadb/vfs';

import type { Config } from './config.ts';
import { checkDataDirectory } from './data-directory.ts';
import { UsageError } from './usage-error.ts';

export interface Preflight {
  /** Anyone who reaches the clients' address can read and write. */
  readonly isOpen: boolean;
  readonly warnings: readonly string[];
}

interface Exposure {
  readonly isExposed: boolean;
  readonly isOpen: boolean;
}

/** @throws UsageError when the node must not start like this. */
export async function checkPreflight(config: Config, fileSystem: FileSystem, isRoot: boolean): Promise<Preflight> {
  checkPorts(config);
  const clients = checkClients(config);
  const nodes = checkNodes(config);
  const reports = checkReports(config);
  const exposed = [clients, nodes, reports].some(({ isExposed }) => isExposed);
  const warnings: string[] = [];
  if (isRoot) warnings.push(checkRoot(exposed, config.allowRoot));
  if (clients.isOpen)
    warnings.push('no client token is configured: whoever can reach this node can read and write everything');
  if (nodes.isOpen) warnings.push('TLS is off: whoever can reach the address for nodes can pose as one of them');
  if (exposed && config.tls === undefined) warnings.push('TLS is off: tokens and data cross the network in clear');
  warnings.push(...(await checkDataDirectory(fileSystem, config.dataDirectory)));
  return { isOpen: clients.isOpen, warnings };
}

/** The second listener would find the port in use, as if another program had it. */
function checkPorts({ clientAddress, peerAddress, reportsAddress }: Config): void {
  const listeners = [
    ['--client-addr', clientAddress],
    ['--raft-addr', peerAddress],
    ['--metrics-addr', reportsAddress],
  ] as const;
  const seen = new Map<string, string>();
  for (const [flag, address] of listeners) {
    if (address === undefined || address.port === 0) continue;
    const where = formatEndpoint(address);
    const other = seen.get(where);
    if (other !== undefined) {
      throw new UsageError(`${other} and ${flag} are both ${where}`, 'give each a port of its own');
    }
    seen.set(where, flag);
  }
}

function checkClients({ clientAddress, clientToken, tls, ...flags }: Config): Exposure {
  return allow({
    ...flags,
    purpose: 'clients',
    host: clientAddress.host,
    flag: '--client-addr',
    hasTls: tls !== undefined,
    isGuarded: clientToken !== undefined || tls?.requiresClientCertificate === true,
  });
}

/** Nodes that speak TLS ask each other for certificates. */
function checkNodes({ peerAddress, tls, ...flags }: Config): Exposure {
  const hasTls = tls !== undefined;
  return allow({ ...flags, purpose: 'nodes', host: peerAddress.host, flag: '--raft-addr', hasTls, isGuarded: hasTls });
}

function checkReports({ reportsAddress, clientToken, tls, ...flags }: Config): Exposure {
  if (reportsAddress === undefined) return { isExposed: false, isOpen: false };
  return allow({
    ...flags,
    purpose: 'reports',
    host: reportsAddress.host,
    flag: '--metrics-addr',
    hasTls: tls !== undefined,
    isGuarded: clientToken !== undefined,
  });
}

function allow(request: BindRequest): Exposure {
  const verdict = checkBind(request);
  if (verdict.kind === 'refused') throw new UsageError(verdict.reason, verdict.advice);
  return verdict;
}

/** Containers often have no other user, so on loopback root is only warned about. */
function checkRoot(isExposed: boolean, allowRoot: boolean): string {
  if (isExposed && !allowRoot) {
    throw new UsageError(
      'running as root on an address that other machines can reach is refused',
      'start it as an ordinary user, or pass --allow-root if you mean it',
    );
  }
  return 'running as root; an ordinary user is enough';
}
