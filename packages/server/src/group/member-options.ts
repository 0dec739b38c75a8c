/** What a member is opened with: of the group's options and of what the group has by then. */

import type { EngineEvent } from '@kayadb/engine';
import type { NodeEventSink, NodeId, PeerSender, RaftIdentity, TransferMessage } from '@kayadb/raft';

import type { Formed } from './formation.ts';
import type { GroupMemberOptions } from './group-member.ts';
import type { GroupOptions } from './group-options.ts';

export interface MemberSurroundings {
  readonly formed: Formed;
  readonly identity: RaftIdentity;
  readonly exchange: PeerSender & { sendTransfer(message: TransferMessage): void };
  readonly incarnationOf: (node: NodeId) => number | undefined;
  readonly onEngineEvent: (event: EngineEvent) => void;
  readonly onEvent: NodeEventSink;
}

export function memberOptionsOf(options: GroupOptions, surroundings: MemberSurroundings): GroupMemberOptions {
  const { directory, fileSystem, engine, clock, random, yieldTurn, timing, keepsLeases, tuning, logger } = options;
  const { formed, identity, exchange, incarnationOf, onEngineEvent, onEvent } = surroundings;
  return {
    fs: fileSystem,
    directory: directory.groupPath,
    identity,
    hasBegun: directory.identity.hasBegun,
    founders: formed.voters.length === 0 ? undefined : [...new Set(formed.voters)],
    engine: { ...engine, onEvent: onEngineEvent },
    clock,
    random,
    yieldTurn,
    timing,
    keepsLeases,
    tuning,
    sender: exchange,
    sendTransfer: (message) => exchange.sendTransfer(message),
    incarnationOf,
    onEvent,
    onWarning: (message) => logger.warn({ event: 'node.warning' }, message),
  };
}
