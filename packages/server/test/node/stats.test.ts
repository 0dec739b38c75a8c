import { readFile } from 'node:fs/promises';

import type { Response } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { NodeWorld } from '../support/node-world.ts';
import { put } from '../support/requests-1.ts';

/** Of protocol v1. */
const V1_COUNTERS =
  'put_count get_count delete_count scan_count wal_bytes_written wal_fsync_count wal_fsync_total_us wal_fsync_max_us ' +
  'memtable_entries sstable_count last_sequence flush_total_us flush_max_us flush_count compaction_total_us ' +
  'compaction_max_us compaction_count block_cache_hits block_cache_misses recovery_duration_us get_total_us ' +
  'get_max_us scan_total_us scan_max_us';

describe('STATS of a node alone', () => {
  test('says what it is', async () => {
    await using world = new NodeWorld();
    const { node, connect } = await world.startLone();
    const session = await connect();
    const before = node.view.raft!.commit;
    for (const key of ['a', 'b']) await world.settle(session.request(put(key, '1')));

    const stats = documentOf(await session.request({ kind: 'stats' }));

    expect(stats).toMatchObject({
      role: 'leader',
      commit_index: before + 2,
      applied_index: before + 2,
      last_log_index: before + 2,
      peer_count: 0,
      voter: true,
      raft_groups: 1,
      drain: false,
      node: { node_id: 1, version: '0.0.0-test', mode: 'single', connections_open: 1, failed_attempts: 0 },
    });
    expect(stats['term']).toBeGreaterThan(0);
  });

  test('has every counter of the store that v1 named, and the very ones that the reference lists', async () => {
    const page = await readFile(new URL('../../../../docs/reference/server.md', import.meta.url), 'utf8');
    const listed = /## STATS\n[^]*?```text\n(?<names>[^`]*)```/.exec(page)?.groups?.['names'] ?? '';
    await using world = new NodeWorld();
    const { connect } = await world.startLone();
    const session = await connect();
    await world.settle(session.request(put('k', 'v')));

    const engine = documentOf(await session.request({ kind: 'stats' }))['engine'] as object;

    expect(Object.keys(engine)).toEqual(expect.arrayContaining(V1_COUNTERS.split(' ')));
    expect(Object.keys(engine).toSorted()).toEqual(listed.trim().split(/\s+/).toSorted());
    expect(engine).toMatchObject({ memtable_entries: expect.any(Number), sstable_count: 0 });
  });
});

function documentOf(answer: Response): Readonly<Record<string, unknown>> {
  return JSON.parse(answer.kind === 'text' ? answer.text : '') as Readonly<Record<string, unknown>>;
}
