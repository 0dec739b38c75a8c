/**
 * What a Raft node tells of its own doing, as lines of the log.
 *
 * Bound: that of `LineRation`, for what others can cause, and for what a node without a quorum does every second until it has one.
 */

import type { Clock } from '@kayadb/codec';
import { levelOf, type NodeEvent, type RaftEvent } from '@kayadb/raft';

import type { Logger } from '../logger.ts';
import { LineRation } from './line-ration.ts';

type HostKind = Exclude<NodeEvent['kind'], RaftEvent['kind']>;
type Level = keyof Logger;

const HOST_LEVELS: Readonly<Record<HostKind, Level>> = {
  'message-refused': 'warn',
  'message-dropped': 'debug',
  'frame-refused': 'warn',
  'ticks-missed': 'debug',
  'storage-stalled': 'error',
  'storage-recovered': 'warn',
  'disk-full': 'error',
  'disk-has-room': 'warn',
  'snapshot-made': 'info',
  'snapshot-not-made': 'warn',
  'log-compacted': 'debug',
  'log-not-compacted': 'warn',
  'snapshot-installed': 'info',
  'snapshot-shipping-failed': 'warn',
  'snapshot-transfer-refused': 'warn',
  'snapshot-transfer-replaced': 'info',
  'snapshot-not-installed': 'warn',
  'node-failed': 'error',
};

/**
 * Single votes, and messages of old terms: each election has some for each member, and elections go on as long as there is no quorum. What comes of them is told by others. And what one write
 * has made durable of another, since writes share their syncs: a busy node has some of these every second.
 */
const DETAILS: ReadonlySet<NodeEvent['kind']> = new Set<RaftEvent['kind']>([
  'vote-requested',
  'vote-received',
  'votes-counted',
  'vote-rejected',
  'vote-ignored-in-lease',
  'lower-term-ignored',
  'commit-learned',
  'stable-entry-missing',
  'stable-entry-in-snapshot',
]);

/** What may come again and again, and by what two of them are the same: whatever else they say changes each time. */
const RATIONED: Partial<Readonly<Record<NodeEvent['kind'], readonly string[]>>> = {
  'election-started': [],
  'proposal-dropped-quota': [],
  'message-refused': ['from', 'message', 'refusal'],
  'frame-refused': ['from', 'code'],
  'snapshot-shipping-failed': ['to'],
  'snapshot-transfer-refused': ['from', 'reason'],
  'snapshot-not-installed': ['from'],
};

export class NodeEventLog {
  readonly #logger: Logger;
  readonly #ration: LineRation;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#ration = new LineRation(clock);
  }

  write(event: NodeEvent): void {
    const { kind, ...rest } = event;
    const { cause, ...fields } = rest as Readonly<Record<string, unknown>>;
    const names = isCandidacy(event) ? ['role'] : RATIONED[kind];
    const admitted =
      names === undefined ? {} : this.#ration.admit([kind, ...names.map((name) => fields[name])].join(' '));
    if (admitted === undefined) return;
    const told = { event: `raft.${kind}`, ...fields, ...(cause === undefined ? {} : { err: cause }), ...admitted };
    this.#logger[levelOfEvent(event)](told, kind.replaceAll('-', ' '));
  }
}

function levelOfEvent(event: NodeEvent): Level {
  if (isHostKind(event.kind)) return HOST_LEVELS[event.kind];
  if (DETAILS.has(event.kind)) return 'debug';
  const level = levelOf(event as RaftEvent);
  return level === 'warning' ? 'warn' : level;
}

/** Other roles are what an operator looks for in the log, each time. */
function isCandidacy(event: NodeEvent): boolean {
  return event.kind === 'role-changed' && event.role !== 'leader' && event.role !== 'follower';
}

function isHostKind(kind: NodeEvent['kind']): kind is HostKind {
  return Object.hasOwn(HOST_LEVELS, kind);
}
