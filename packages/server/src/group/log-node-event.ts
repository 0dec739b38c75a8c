/** What a Raft node tells of its own doing, as lines of the log. */

import { levelOf, type NodeEvent, type RaftEvent } from '@kayadb/raft';

import type { Logger } from '../logger.ts';

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

export function logNodeEvent(logger: Logger, event: NodeEvent): void {
  const { kind, ...rest } = event;
  const { cause, ...fields } = rest as Readonly<Record<string, unknown>>;
  const told = { event: `raft.${kind}`, ...fields, ...(cause === undefined ? {} : { err: cause }) };
  logger[levelOfEvent(event)](told, kind.replaceAll('-', ' '));
}

function levelOfEvent(event: NodeEvent): Level {
  if (isHostKind(event.kind)) return HOST_LEVELS[event.kind];
  const level = levelOf(event as RaftEvent);
  return level === 'warning' ? 'warn' : level;
}

function isHostKind(kind: NodeEvent['kind']): kind is HostKind {
  return Object.hasOwn(HOST_LEVELS, kind);
}
