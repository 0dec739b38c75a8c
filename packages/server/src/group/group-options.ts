/** What a group is given: of the node's options what concerns it, completed. */

import type { NodeDirectory } from '../directory/node-directory.ts';
import type { GroupTiming, NodeOptions } from '../node-options.ts';
import type { GroupTuning } from './group-member.ts';

export interface GroupOptions extends Pick<
  NodeOptions,
  | 'network'
  | 'clock'
  | 'wallClock'
  | 'random'
  | 'yieldTurn'
  | 'logger'
  | 'fileSystem'
  | 'engine'
  | 'peerAddress'
  | 'advertisedPeerAddress'
  | 'tls'
> {
  /** Open; whoever opened it closes it, after the group. */
  readonly directory: NodeDirectory;
  readonly peers: NonNullable<NodeOptions['peers']>;
  readonly isJoining: boolean;
  readonly timing: GroupTiming;
  readonly keepsLeases: boolean;
  readonly tuning?: GroupTuning | undefined;
  /** As others are told, `host:port`. */
  readonly clientAddress: () => string;
  /** The node can not go on. Called once. */
  readonly onEnd: (cause: Error) => void;
}
