/** Metrics of the port of clients. */

import type { DoorView } from '../../node-view.ts';
import { counter, counters, gauge, type Metric, type MetricSource } from './metric.ts';

export const CLIENT_METRICS: readonly Metric[] = [
  gauge('kayadb_client_connections', 'Open connections of clients.', (source) => doorOf(source).counts.open),
  counter(
    'kayadb_client_connections_accepted_total',
    'Connections that were let in.',
    (source) => doorOf(source).counts.accepted,
  ),
  counters(
    'kayadb_client_connections_refused_total',
    ['limit'],
    'Connections that were closed at once: there were too many in all, or from one address.',
    (source) => [
      ['total', doorOf(source).counts.refusedTotal],
      ['address', doorOf(source).counts.refusedPerAddress],
    ],
  ),
  gauge('kayadb_client_handshakes', 'TLS handshakes under way.', (source) => doorOf(source).counts.handshaking),
  counter(
    'kayadb_client_failed_handshakes_total',
    'TLS handshakes that came to nothing.',
    (source) => doorOf(source).counts.failedHandshakes,
  ),
  counter(
    'kayadb_client_failed_attempts_total',
    'Requests without the token that they need.',
    (source) => doorOf(source).failedAttempts,
  ),
  gauge(
    'kayadb_client_held_bytes',
    'Bytes of unfinished frames, requests in flight, and answers that were not taken.',
    (source) => doorOf(source).heldBytes,
  ),
  gauge('kayadb_client_open_scans', 'Scans of clients that are open.', (source) => doorOf(source).openScans),
];

function doorOf({ snapshot: { view } }: MetricSource): DoorView {
  return view.door;
}
