/** The HTTP listener of the program: health, metrics and status. docs/reference/server.md, "HTTP" */

import type { RunningNode } from '@kayadb/server';
import type { SecureIdentity } from '@kayadb/transport';

import type { Config } from './config.ts';
import type { ServerLogger } from './logger.ts';
import type { World } from './world.ts';

export interface Reports {
  readonly url: string;
  close(): Promise<void>;
}

export async function openReports(
  _node: RunningNode,
  _world: World,
  _config: Config,
  _logger: ServerLogger,
  _identity: SecureIdentity | undefined,
): Promise<Reports | undefined> {
  return undefined;
}
