/** What must hold before anything is opened: where the node may listen, as whom, and on which folder. */

import { checkBind } from '@kayadb/server';
import type { FileSystem } from '@kayadb/vfs';

import type { Config } from './config.ts';
import { checkDataDirectory } from './data-directory.ts';
import { UsageError } from './usage-error.ts';

export interface Preflight {
  /** Anyone who reaches the address can read and write. */
  readonly isOpen: boolean;
  readonly warnings: readonly string[];
}

/** @throws UsageError when the node must not start like this. */
export async function checkPreflight(config: Config, fileSystem: FileSystem, isRoot: boolean): Promise<Preflight> {
  const { clientAddress, allowPublicBind, insecure, clientToken } = config;
  const bind = checkBind({
    purpose: 'clients',
    host: clientAddress.host,
    flag: '--client-addr',
    allowPublicBind,
    insecure,
    hasTls: false,
    isGuarded: clientToken !== undefined,
  });
  if (bind.kind === 'refused') throw new UsageError(bind.reason, bind.advice);
  const warnings: string[] = [];
  if (isRoot) warnings.push(checkRoot(bind.isExposed, config.allowRoot));
  if (bind.isOpen)
    warnings.push('no client token is configured: whoever can reach this node can read and write everything');
  if (bind.isExposed) warnings.push('TLS is not available: tokens and data cross the network in clear');
  warnings.push(...(await checkDataDirectory(fileSystem, config.dataDirectory)));
  return { isOpen: bind.isOpen, warnings };
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
