/** Metrics of the node itself: who it is, whether it is well, what it waits for its disk, and how it is guarded. */

import type { CheckState } from '../health-checks.ts';
import { isReady } from '../health-checks.ts';
import { counter, flag, gauge, gauges, type Metric, seconds } from './metric.ts';

const CHECK_VALUES: Readonly<Record<CheckState, number>> = { ok: 0, warning: 1, failed: 2 };

export const NODE_METRICS: readonly Metric[] = [
  gauges('kayadb_info', ['version', 'node', 'cluster'], 'Who the node is; 1.', ({ snapshot: { view } }) => [
    [view.version, String(view.nodeId), view.cluster ?? '', 1],
  ]),
  gauge('kayadb_uptime_seconds', 'Since the start of the process.', ({ snapshot: { view } }) => seconds(view.uptimeMs)),
  counter('kayadb_boots_total', 'Starts of the directory.', ({ snapshot: { view } }) => view.boot),
  gauge('kayadb_ready', 'Whether /readyz answers 200.', ({ checks }) => flag(isReady(checks))),
  gauges('kayadb_check_state', ['check'], 'Of each check of /readyz: 0 ok, 1 warning, 2 failed.', ({ checks }) =>
    checks.map(({ name, state }) => [name, CHECK_VALUES[state]]),
  ),
  gauge('kayadb_stopping', 'Whether it was asked to stop.', ({ snapshot: { view } }) => flag(view.isStopping)),
  counter(
    'kayadb_storage_syncs_total',
    'Syncs of files and folders, of the log and of all that is small.',
    ({ snapshot: { view } }) => view.storage.syncCount,
  ),
  counter('kayadb_storage_sync_seconds_total', 'How long they took together.', ({ snapshot: { view } }) =>
    seconds(view.storage.syncTotalMs),
  ),
  gauge('kayadb_storage_sync_max_seconds', 'The longest since the start.', ({ snapshot: { view } }) =>
    seconds(view.storage.syncMaxMs),
  ),
  gauge(
    'kayadb_storage_oldest_sync_seconds',
    'How long the oldest that is under way takes already, or what it waits for; 0: none is.',
    ({ snapshot: { view } }) => seconds(view.storage.oldestSyncMs),
  ),
  gauges('kayadb_tls_enabled', ['port'], 'Whether a port speaks TLS.', ({ snapshot: { view } }) => [
    ['nodes', flag(view.tls.isOnForNodes)],
    ['clients', flag(view.tls.isOnForClients)],
  ]),
  gauge(
    'kayadb_tls_certificate_not_after_seconds',
    'When the certificate of the node expires, in seconds since 1970.',
    ({ snapshot: { view } }) => (view.tls.own === undefined ? undefined : seconds(view.tls.own.notAfterMs)),
  ),
  gauges(
    'kayadb_token_configured',
    ['token'],
    'Whether a token guards the port of clients.',
    ({ snapshot: { view } }) => [
      ['client', flag(view.hasClientToken)],
      ['operator', flag(view.hasOperatorToken)],
    ],
  ),
  counter(
    'kayadb_http_failed_attempts_total',
    'Requests over HTTP without the token that they need.',
    ({ httpFailedAttempts }) => httpFailedAttempts,
  ),
];
