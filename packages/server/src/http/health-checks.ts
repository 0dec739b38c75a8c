/**
 * What a node that can serve clients has to have, check by check: what makes it unready, and what somebody should only know of. Pure.
 * docs/operating/monitoring.md, "Readiness", says why each is what it is.
 */

import type { NodeView } from '../node-view.ts';
import type { NodeSnapshot } from '../reports/node-snapshot.ts';

/** `warning`: it serves, and somebody should look. */
export type CheckState = 'ok' | 'warning' | 'failed';

export type CheckName = 'lifecycle' | 'quorum' | 'disk' | 'fsync' | 'apply' | 'certificate' | 'tls' | 'auth';

export interface Check {
  readonly name: CheckName;
  readonly state: CheckState;
  /** For people; says nothing secret. */
  readonly detail: string;
}

export interface HealthThresholds {
  /** Age of a sync that is under way. */
  readonly slowSyncMs: number;
  readonly stuckSyncMs: number;
  /** Entries that are committed and not applied. */
  readonly highApplyLag: number;
  readonly maxApplyLag: number;
  /** Before a certificate expires. */
  readonly certificateNoticeMs: number;
}

const DAY_MS = 86_400_000;

export const DEFAULT_HEALTH_THRESHOLDS: HealthThresholds = {
  slowSyncMs: 500,
  stuckSyncMs: 2_000,
  highApplyLag: 1_000,
  maxApplyLag: 10_000,
  certificateNoticeMs: 14 * DAY_MS,
};

/** Whether the process is of any use: a restart would help a node that has ended, and no other. */
export function isAlive({ phase }: Pick<NodeView, 'phase'>): boolean {
  return phase !== 'ended';
}

export function isReady(checks: readonly Check[]): boolean {
  return checks.every(({ state }) => state !== 'failed');
}

/** @param nowMs - Milliseconds since 1970. */
export function checkHealth(
  snapshot: NodeSnapshot,
  nowMs: number,
  thresholds: HealthThresholds = DEFAULT_HEALTH_THRESHOLDS,
): readonly Check[] {
  return [
    { name: 'lifecycle', ...checkLifecycle(snapshot) },
    { name: 'quorum', ...checkQuorum(snapshot) },
    { name: 'disk', ...checkDisk(snapshot) },
    { name: 'fsync', ...checkSyncs(snapshot, thresholds) },
    { name: 'apply', ...checkApplyLag(snapshot, thresholds) },
    { name: 'certificate', ...checkCertificate(snapshot, nowMs, thresholds) },
    { name: 'tls', ...checkTls(snapshot) },
    { name: 'auth', ...checkAuth(snapshot) },
  ];
}

type Finding = Omit<Check, 'name'>;

function checkLifecycle({ view }: NodeSnapshot): Finding {
  const { phase, isStopping, endError, missing } = view;
  if (phase === 'ended') return failed(`ended: ${endError?.message ?? 'no reason is known'}`);
  if (isStopping) return failed('stopping');
  if (phase === 'running') return ok('running');
  if (phase === 'opening') return failed('opening its log and store');
  const whom =
    missing.length === 0 ? 'to be added to a group' : `for ${missing.map((node) => `node ${node}`).join(', ')}`;
  return failed(`forming: waits ${whom}`);
}

function checkQuorum({ view, raft, leader, hasLeader, role }: NodeSnapshot): Finding {
  if (raft === undefined) return failed(view.phase === 'forming' ? 'not in a group yet' : 'the log is not open');
  if (!hasLeader) return failed(`no leader is heard in term ${raft.term}`);
  return ok(role === 'leader' ? 'leads, and a majority answers' : `follows node ${leader!}`);
}

function checkDisk({ raft, machine }: NodeSnapshot): Finding {
  if (raft?.isDiskFull === true) return failed('the log found no room: nothing can be written here');
  switch (machine?.diskState) {
    case undefined:
      return ok('not in use');
    case 'full':
      return warning('the store found no room: as a leader it takes deletes and reads, and no puts');
    case 'low':
      return warning('below the soft limit: as a leader it takes deletes and reads, and no puts');
    case 'unwatched':
      return ok('not watched');
    case 'ok':
      return ok('writable');
  }
}

function checkSyncs({ view }: NodeSnapshot, { slowSyncMs, stuckSyncMs }: HealthThresholds): Finding {
  const ms = Math.round(view.storage.oldestSyncMs);
  if (ms === 0) return ok('none under way');
  const detail = `the oldest one takes ${ms} ms already`;
  if (ms >= stuckSyncMs) return failed(detail);
  return ms >= slowSyncMs ? warning(detail) : ok(detail);
}

function checkApplyLag({ applyLag }: NodeSnapshot, { highApplyLag, maxApplyLag }: HealthThresholds): Finding {
  const detail = `${applyLag} entries behind what is committed`;
  if (applyLag > maxApplyLag) return failed(detail);
  return applyLag > highApplyLag ? warning(detail) : ok(detail);
}

function checkCertificate({ view }: NodeSnapshot, nowMs: number, { certificateNoticeMs }: HealthThresholds): Finding {
  const { own } = view.tls;
  if (own === undefined) return ok('there is none');
  if (nowMs < own.notBeforeMs) return failed(`not valid before ${isoTime(own.notBeforeMs)}`);
  if (nowMs > own.notAfterMs) return failed(`expired at ${isoTime(own.notAfterMs)}`);
  const detail = `valid until ${isoTime(own.notAfterMs)}`;
  return own.notAfterMs - nowMs < certificateNoticeMs ? warning(detail) : ok(detail);
}

function checkTls({ view }: NodeSnapshot): Finding {
  const { isOnForNodes, isOnForClients } = view.tls;
  if (isOnForNodes && isOnForClients) return ok('on');
  if (isOnForNodes) return warning('off for clients');
  return warning(isOnForClients ? 'off for nodes' : 'off');
}

function checkAuth({ view }: NodeSnapshot): Finding {
  const { hasClientToken, hasOperatorToken } = view;
  if (hasClientToken && hasOperatorToken) return ok('tokens for clients and operators');
  if (hasClientToken) return warning('no operator token: whoever connects may change the group');
  if (hasOperatorToken) return warning('no client token: whoever connects reads and writes');
  return warning('no tokens: whoever connects reads, writes and changes the group');
}

function ok(detail: string): Finding {
  return { state: 'ok', detail };
}

function warning(detail: string): Finding {
  return { state: 'warning', detail };
}

function failed(detail: string): Finding {
  return { state: 'failed', detail };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000', '');
}
