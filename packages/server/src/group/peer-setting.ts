/** Another node as the operator names it, `--peer ID=RAFT[,CLIENT]`: this node's own way to it, which wins over what the group says. */

import type { Endpoint, ExpectedIdentity } from '@kayadb/transport';

export interface PeerSetting {
  readonly node: number;
  /** Where this node dials it. */
  readonly address: Endpoint;
  /** Where clients are sent that look for it, until it says so itself; `host:port`. */
  readonly clientAddress?: string | undefined;
  /** Whom its certificate has to be of; the host that is dialed, by default. */
  readonly identity?: ExpectedIdentity | undefined;
}
