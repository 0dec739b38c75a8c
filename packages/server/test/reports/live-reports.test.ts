/** Reports and health of nodes that run, in a group in memory. */

import { describe, expect, test } from 'vitest';

import { checkHealth, type CheckName, isReady } from '../../src/http/health-checks.ts';
import type { NodeView } from '../../src/node-view.ts';
import { type MemberRow, memberRows } from '../../src/reports/member-rows.ts';
import { NodeReporter } from '../../src/reports/node-reporter.ts';
import { takeSnapshot } from '../../src/reports/node-snapshot.ts';
import { NodeWorld, type TestNode } from '../support/node-world.ts';

type Json = Readonly<Record<string, unknown>>;

function rowsOf({ node }: TestNode): readonly MemberRow[] {
  return memberRows(takeSnapshot(node.view));
}

function health({ node: { view } }: TestNode): { readonly isReady: boolean; readonly of: (name: CheckName) => string } {
  const checks = checkHealth(takeSnapshot(view), 0);
  return { isReady: isReady(checks), of: (name) => checks.find((check) => check.name === name)!.state };
}

function statusOf(view: NodeView): Json {
  return JSON.parse(new NodeReporter({ view: () => view }).status()) as Json;
}

describe('a group of three', () => {
  test('tells of its members on each node, and on the leader how far they are', async () => {
    await using world = new NodeWorld();
    const nodes = await world.startGroup([1, 2, 3]);
    const leader = await world.leader(nodes);
    const areIntroduced = (node: TestNode): boolean => rowsOf(node).every((row) => row.client_address !== null);

    await world.until('everybody knows all addresses', () => nodes.every(areIntroduced));
    await world.until('everybody has everything', () =>
      rowsOf(leader).every(({ progress }) => (progress?.lag ?? 0) === 0),
    );

    const statuses = nodes.map(({ node }) => statusOf(node.view));
    expect(statuses.map((status) => status['leader'])).toEqual(nodes.map(() => leader.id));
    expect(new Set(statuses.map((status) => status['leader_address']))).toEqual(
      new Set([leader.node.view.clientAddress]),
    );
    expect(statuses.filter((status) => status['role'] === 'leader')).toHaveLength(1);
    for (const node of nodes) {
      expect(rowsOf(node).map(({ node: id, kind }) => `${id} ${kind}`)).toEqual(['1 voter', '2 voter', '3 voter']);
      expect(health(node).isReady).toBe(true);
    }
  });

  test('tells where its leader is as soon as one is known, before the group has agreed on addresses', async () => {
    await using world = new NodeWorld();
    const nodes = await Promise.all([1, 2, 3].map((id) => world.start(id, { peers: [1, 2, 3] })));
    await world.until('all know a leader', () =>
      nodes.every(({ node }) => takeSnapshot(node.view).leader !== undefined),
    );

    const known = nodes.map(({ node }) => JSON.parse(node.reports.status() as string) as Json);

    const leader = await world.leader(nodes);
    expect(known.map((status) => status['leader_address'])).toEqual(nodes.map(() => leader.node.view.clientAddress));
  });

  test('never calls a member silent that answers, and soon one that does not', async () => {
    await using world = new NodeWorld();
    const nodes = await world.startGroup([1, 2, 3]);
    const leader = await world.leader(nodes);
    const silent = (): readonly number[] =>
      rowsOf(leader).flatMap(({ node, is_answering: isAnswering }) => (isAnswering === false ? [node] : []));
    await world.until('all links are up', () =>
      [...leader.node.view.links.values()].every(({ state }) => state === 'up'),
    );

    const seen = new Set<number>();
    for (let ms = 0; ms < 2_000; ms += 10) {
      await world.clock.advanceAsync(10);
      for (const node of silent()) seen.add(node);
    }
    const gone = nodes.find(({ id }) => id !== leader.id)!;
    await gone.stop();
    await world.until('it is missed', () => silent().length > 0, 2_000);

    expect([...seen]).toEqual([]);
    expect(silent()).toEqual([gone.id]);
    expect(health(leader).isReady).toBe(true);
  });

  test('is not ready without a quorum', async () => {
    await using world = new NodeWorld();
    const nodes = await world.startGroup([1, 2, 3]);
    const [last, ...others] = nodes;

    for (const node of others) await node.stop();
    await world.until('the last one knows', () => health(last!).of('quorum') === 'failed', 3_000);

    expect(health(last!).isReady).toBe(false);
    expect(statusOf(last!.node.view)).toMatchObject({ phase: 'running', has_leader: false, end_error: null });
  });
});

describe('a node', () => {
  test('is not ready before it has its group', async () => {
    await using world = new NodeWorld();

    const waiting = await world.start(1, { peers: [1, 2, 3] });

    expect(health(waiting).isReady).toBe(false);
    expect(statusOf(waiting.node.view)).toMatchObject({ phase: 'forming', waiting_for: [2, 3], engine: null });
  });

  test('tells of a disk that does not answer', async () => {
    await using world = new NodeWorld();
    const lone = await world.startLone();
    const session = await lone.connect();

    lone.gate.hold();
    const written = session.request({ kind: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) });
    await world.clock.advanceAsync(700);
    const slow = health(lone).of('fsync');
    await world.clock.advanceAsync(2_000);
    const stuck = health(lone).of('fsync');
    lone.gate.release();
    await world.settle(written);

    expect([slow, stuck, health(lone).of('fsync')]).toEqual(['warning', 'failed', 'ok']);
    expect(lone.node.view.storage.syncMaxMs).toBeGreaterThan(2_000);
  });

  test('is not ready from the moment that it is asked to stop', async () => {
    await using world = new NodeWorld();
    const lone = await world.startLone();

    const stopped = lone.stop();
    const { isReady: isStillReady } = health(lone);
    await stopped;

    expect(isStillReady).toBe(false);
    expect(statusOf(lone.node.view)['is_stopping']).toBe(true);
  });
});
