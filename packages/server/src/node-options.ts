/** Everything that a node is given: the world around it, who it is, whom it knows, and bounds. */

import type { Clock } from '@kayadb/codec';
import type { EngineOptions } from '@kayadb/engine';
import type { Endpoint, Network, SecureIdentity, TlsVersion } from '@kayadb/transport';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';

import type { PeerSetting } from './group/peer-setting.ts';
import type { ServerLimits } from './limits.ts';
import type { Logger } from './logger.ts';

export interface NodeRandom {
  /** Uniform in [0, 1). Not for secrets. */
  readonly fraction: () => number;
  /** An integer of 0 or more, below `limit`, which is 2^32 at most. Not for secrets. */
  readonly integer: (limit: number) => number;
  /** Unpredictable. */
  readonly bytes: (count: number) => Uint8Array;
}

/** TLS on each port of the node. */
export interface NodeTls {
  /** What the node proves itself with, to nodes and clients alike, and whom it trusts. Replaced while the node runs. Nodes prove themselves to each other: it needs a CA. */
  readonly identity: SecureIdentity;
  /** Nodes speak TLS 1.3. Default the same. */
  readonly minClientVersion?: TlsVersion | undefined;
  /** Whether clients must show a certificate. Default false. */
  readonly requiresClientCertificate?: boolean | undefined;
}

/** Times of the group, which should be the same on all of its nodes. */
export interface GroupTiming {
  /** How often a leader is heard of. Default 100. */
  readonly heartbeatMs: number;
  /** A node that hears of no leader for this long, or up to twice as long, holds an election; at least five heartbeats. Default 500. */
  readonly electionMs: number;
}

export interface NodeOptions {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  readonly network: Network;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly random: NodeRandom;
  /** Lets timers and sockets have a turn. */
  readonly yieldTurn: () => Promise<void>;
  readonly logger: Logger;
  /** Of the program. */
  readonly version: string;
  readonly nodeId: number;
  /** Of the node, docs/format/node.md. Made if it is not there. */
  readonly directory: string;
  /** Of the store. On a real disk without `fileSystem`, so that it works in threads of its own. */
  readonly engine?: EngineOptions | undefined;
  /** Where to listen. Port 0 lets the operating system choose. Whether it may be bound is the caller's question: `checkBind`. */
  readonly clientAddress: Endpoint;
  readonly peerAddress: Endpoint;
  /** `host:port` that others are told in their place. */
  readonly advertisedClientAddress?: string | undefined;
  readonly advertisedPeerAddress?: string | undefined;
  /** Those to begin a group with; those to ask, where `isJoining`. None: a group of this node alone. */
  readonly peers?: readonly PeerSetting[] | undefined;
  /** Waits to be added to a group that exists. */
  readonly isJoining?: boolean | undefined;
  readonly tls?: NodeTls | undefined;
  /** Needed for data and reports, if set. */
  readonly clientToken?: string | undefined;
  /** Needed for membership, if set. */
  readonly operatorToken?: string | undefined;
  readonly limits?: Partial<ServerLimits> | undefined;
  readonly timing?: Partial<GroupTiming> | undefined;
  /** Leaders answer reads of level `lease` by their clock. Then a lost leader is replaced no sooner than the time of an election allows. Default false. */
  readonly keepsLeases?: boolean | undefined;
}

export interface StopOptions {
  /** Bound: how long stopping may take in all. Default 10,000. */
  readonly deadlineMs?: number;
}
