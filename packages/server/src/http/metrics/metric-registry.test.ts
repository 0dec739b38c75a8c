import { describe, expect, test } from 'vitest';

import {
  formingView,
  PLAIN_ENGINE_STATS,
  plainMachine,
  plainProgress,
  plainRaft,
  plainView,
} from '../../../test/support/plain-view.ts';
import type { NodeView } from '../../node-view.ts';
import { memberRows } from '../../reports/member-rows.ts';
import { takeSnapshot } from '../../reports/node-snapshot.ts';
import { checkHealth } from '../health-checks.ts';
import { ALL_METRICS, MetricRegistry } from './metric-registry.ts';
import type { MetricSource } from './metric.ts';

function sourceOf(view: NodeView): MetricSource {
  const snapshot = takeSnapshot(view);
  return {
    snapshot,
    engine: snapshot.machine?.stats(),
    members: memberRows(snapshot),
    checks: checkHealth(snapshot, Date.UTC(2026, 0)),
    httpFailedAttempts: 9,
  };
}

async function scrape(view: NodeView, into = new MetricRegistry({ withProcess: false })): Promise<readonly string[]> {
  const text = await into.write(sourceOf(view));
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** A leader that is sending a snapshot: it has something to tell of everything. */
const busy = plainView({ shipments: new Map([[3, { arrivedBytes: 10, totalBytes: 40 }]]) });

describe('MetricRegistry', () => {
  test('tells what the node is at', async () => {
    const lines = await scrape(busy);

    expect(lines).toEqual(
      expect.arrayContaining([
        'kayadb_info{version="1.2.3",node="1",cluster="00112233445566778899aabbccddeeff"} 1',
        'kayadb_ready 1',
        'kayadb_check_state{check="fsync"} 0',
        'kayadb_storage_sync_seconds_total 0.025',
        'kayadb_raft_role{role="leader"} 1',
        'kayadb_raft_role{role="follower"} 0',
        'kayadb_raft_apply_lag_entries 2',
        'kayadb_raft_members{kind="voter"} 3',
        'kayadb_raft_member_answering{node="3"} 0',
        'kayadb_raft_member_lag_entries{node="3"} 15',
        'kayadb_raft_snapshot_arrived_bytes{node="3"} 10',
        'kayadb_peer_link_up{node="2"} 1',
        'kayadb_peer_link_dropped_frames_total{node="2"} 3',
        'kayadb_client_connections_refused_total{limit="address"} 1',
        'kayadb_engine_flush_seconds_total 4',
        'kayadb_engine_level_bytes{level="1"} 20000',
        'kayadb_disk_state{state="ok"} 1',
        'kayadb_tls_certificate_not_after_seconds 1893456000',
        'kayadb_http_failed_attempts_total 9',
      ]),
    );
  });

  test('tells nothing of what is not known', async () => {
    const lines = await scrape(formingView());

    const told = lines.map((line) => /^\w+/u.exec(line)![0]);
    expect(told).toContain('kayadb_raft_role');
    expect(told).not.toContain('kayadb_raft_term');
    expect(told.filter((name) => name.startsWith('kayadb_engine') || name.startsWith('kayadb_disk'))).toEqual([]);
    expect(told.filter((name) => name.includes('member_'))).toEqual([]);
  });

  test('keeps nothing of the scrape before', async () => {
    const metrics = new MetricRegistry({ withProcess: false });
    await scrape(busy, metrics);

    const progress = new Map([[2, plainProgress()]]);
    const raft = plainRaft({ progress });
    const machine = plainMachine({ stats: () => ({ ...PLAIN_ENGINE_STATS, putCount: 1, diskAvailableBytes: null }) });
    const lines = await scrape(plainView({ raft, machine, links: new Map() }), metrics);

    expect(lines).toContain('kayadb_engine_puts_total 1');
    expect(lines.filter((line) => line.includes('node="3"')).toSorted()).toEqual([
      'kayadb_raft_member_answering{node="3"} 0',
    ]);
    expect(lines.filter((line) => line.startsWith('kayadb_disk_available_bytes'))).toEqual([]);
  });

  test('has metrics of the process too', async () => {
    const { names } = new MetricRegistry({ withProcess: true });

    const others = names.filter((name) => !name.startsWith('kayadb_'));
    expect(others).toEqual(expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds']));
    expect(others.filter((name) => !/^(?:process|nodejs)_/u.test(name))).toEqual([]);
  });
});

describe('the metrics', () => {
  test('have each a name of its own, in base units', () => {
    const names = ALL_METRICS.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^kayadb_[a-z0-9]+(?:_[a-z0-9]+)*$/u.test(name))).toEqual([]);
    expect(names.filter((name) => /_(?:ms|us|millis|micros|kb|mb)(?:_|$)/u.test(name))).toEqual([]);
  });

  test('end in _total where they only grow, and nowhere else', () => {
    const odd = ALL_METRICS.filter(({ name, kind }) => name.endsWith('_total') !== (kind === 'counter'));

    expect(odd).toEqual([]);
  });

  test('are each told by a leader that has something to tell of everything', () => {
    const source = sourceOf(busy);

    const silent = ALL_METRICS.filter(({ read }) => read(source).length === 0).map(({ name }) => name);
    const wrong = ALL_METRICS.filter(({ read, labels }) =>
      read(source).some((each) => each.labels.length !== labels.length || !Number.isFinite(each.value)),
    );

    expect(silent).toEqual([]);
    expect(wrong).toEqual([]);
  });
});
