import { decodeUtf8, type KayaError, type Response } from '@kayadb/codec';
import { crashClone } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { NodeWorld, type TestNode } from '../support/node-world.ts';
import { del, get, put, removeMember, scan } from '../support/requests-1.ts';

const ALL = [1, 2, 3];

describe('a leader that stops', () => {
  test('hands leadership over before it closes anything, and nothing acknowledged is lost', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    const leader = await world.leader(group);
    const others = othersThan(leader, group);
    const session = await leader.connect();
    const keys = Array.from({ length: 100 }, (_, i) => `row/${i}`);
    session.send(...keys.slice(0, 80).map((key) => put(key, 'v')));
    const first = await session.next('put');

    const stopping = leader.node.stop();
    session.send(...keys.slice(80).map((key) => put(key, 'v')));
    const [next] = await world.settle(Promise.all([successorAt(session.closed, others), stopping]));
    const answers = [first];
    while (session.unread > 0) answers.push(await session.next('put'));
    const rows = keysOf(await world.settle((await others[0]!.connect()).request(scan('row/'))));

    const done = keys.filter((_, i) => answers[i]?.kind === 'done');
    const refused = keys.filter((_, i) => answers[i] !== undefined && answers[i].kind !== 'done');
    expect(next).toBeDefined();
    expect(rows).toEqual(expect.arrayContaining(done));
    expect(rows.filter((key) => refused.includes(key))).toEqual([]);
  });

  test('leaves no timer, and neither do the others', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    const leader = await world.leader(group);

    await leader.stop();
    await Promise.all(othersThan(leader, group).map((other) => other.stop()));

    expect(world.clock.pendingTimers).toBe(0);
    expect(group.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
  });
});

describe('a leader', () => {
  test('whose disk fails ends itself; the others go on with all that was acknowledged, and it comes back', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    const leader = await world.leader(group);
    const others = othersThan(leader, group);
    const session = await leader.connect();
    await world.settle(session.request(put('kept', 'v')));
    leader.faulty.inject({ at: 1, kinds: ['sync'], effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    session.send(put('open', 'v'));
    await world.settle(leader.node.failed);
    const next = await world.leader(others);
    const written = await world.settle((await next.connect()).request(put('after', 'v')));
    await Promise.allSettled([leader.stop()]);
    const again = await world.start(leader.id, { peers: ALL });
    await world.settle(again.node.ready);
    const rows = await world.settle((await again.connect()).request(scan('')));

    expect(leader.failure).toMatchObject({ code: 'KAYA_RAFT_POISONED' });
    expect(written).toEqual({ kind: 'done' });
    expect(keysOf(rows).filter((key) => key !== 'open')).toEqual(['after', 'kept']);
  });

  test.each([
    ['again after a while, goes on as a follower', 10_000, undefined],
    ['any more, ends itself', 31_000, 'KAYA_STORAGE_STALLED'],
  ])('whose disk does not answer has another one lead, and if it does not %s', async (_how, ms, code) => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    const leader = await world.leader(group);
    const others = othersThan(leader, group);
    const session = await leader.connect();
    await world.settle(session.request(put('kept', 'v')));
    const stuckMs = world.clock.now();

    leader.gate.hold();
    session.send(put('open', 'v'));
    const next = await world.leader(others);
    const leadsAfterMs = world.clock.now() - stuckMs;
    const written = await world.settle((await next.connect()).request(put('after', 'v')));
    await world.clock.advanceAsync(ms);
    leader.gate.release();
    await world.clock.advanceAsync(1_000);

    expect(leadsAfterMs).toBeLessThan(3_500);
    expect(written).toEqual({ kind: 'done' });
    expect(leader.failure === undefined ? undefined : (leader.failure as KayaError).code).toBe(code);
    expect(othersThan(leader, group).map((other) => other.failure)).toEqual([undefined, undefined]);
    const rows = keysOf(await world.settle((await next.connect()).request(scan(''))));
    expect(rows).toEqual(expect.arrayContaining(['after', 'kept']));
  });

  test('whose disk is full hands over; the others go on, and it catches up when there is room', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    const leader = await world.leader(group);
    const others = othersThan(leader, group);
    const session = await leader.connect();
    await world.settle(session.request(put('kept', 'v')));
    await world.leaveRoom(10_000, leader.id);

    session.send(put('large', new Uint8Array(200_000)));
    const next = await world.leader(others);
    const written = await world.settle((await next.connect()).request(put('after', 'v')));
    const refused = await world.settle((await leader.connect()).request(put('no', 'v')));
    world.disk(leader.id).setCapacity(undefined);
    const seen = await world.settle((await leader.connect()).request(scan('')));

    expect(written).toEqual({ kind: 'done' });
    expect(refused).toMatchObject({ kind: 'not-leader' });
    expect(keysOf(seen).filter((key) => key !== 'large')).toEqual(['after', 'kept']);
    expect(group.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
  });
});

describe('leaders with little room on their disks', () => {
  const LOW_BYTES = 1_000_000;

  async function leaveLittle(world: NodeWorld, nodes: readonly TestNode[]): Promise<void> {
    for (const { id } of nodes) await world.leaveRoom(LOW_BYTES / 2, id);
    await world.until('it is seen', () => nodes.every(({ node }) => node.view.machine?.diskState === 'low'));
  }

  test('have one lead that has more, which takes puts', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL, { engine: { diskLowBytes: LOW_BYTES } });
    const leader = await world.leader(group);
    const [second, third] = othersThan(leader, group);
    await leaveLittle(world, [leader, second!]);
    await world.until('another one leads', () => third!.node.view.raft?.role === 'leader');

    const written = await world.settle((await third!.connect()).request(put('k', 'v')));
    await world.clock.advanceAsync(20_000);

    expect(written).toEqual({ kind: 'done' });
    expect(third!.node.view.raft?.role).toBe('leader');
    expect(world.log.filter(({ event }) => event === 'storage.no-room').length).toBeLessThanOrEqual(2);
  });

  test('pass it round once where nobody has, and stay', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL, { engine: { diskLowBytes: LOW_BYTES } });
    const before = (await world.leader(group)).node.view.raft!.term;
    await leaveLittle(world, group);
    await world.clock.advanceAsync(10_000);
    const leader = await world.leader(group);
    const { term } = leader.node.view.raft!;

    await world.clock.advanceAsync(20_000);
    const session = await leader.connect();
    const refused = await world.settle(session.request(put('k', 'v')));
    const deleted = await world.settle(session.request(del('k')));

    expect(term - before).toBe(3);
    expect(leader.node.view.raft).toMatchObject({ role: 'leader', term });
    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_DISK_FULL: /u) });
    expect(deleted).toEqual({ kind: 'done' });
  });
});

describe('a node without a place in its group', () => {
  test('is told so by each of the others once a minute, for as long as it asks', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    await world.leader(group);

    await world.start(4, { peers: [1, 2, 3, 4] });
    await world.clock.advanceAsync(59_000);

    const told = world.log.filter(({ event, level }) => event === 'peer.refused' && level === 'warn');
    expect(told.map(({ peer, verdict }) => `${String(peer)} ${String(verdict)}`).toSorted()).toEqual([
      '1 no-member',
      '2 no-member',
      '3 no-member',
    ]);
  });

  test('ends when it is removed, says so, and does not start with that directory again', async () => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    const leader = await world.leader(group);
    const gone = othersThan(leader, group)[0]!;
    await world.until('the group knows its directories', () => knowsAll(leader));
    const session = await gone.connect();

    const removed = await world.settle((await leader.connect()).request(removeMember(gone.id)));
    await world.until('it is told', () => gone.failure !== undefined);
    const refused = await world.settle(session.request(get('k')));
    await gone.stop();
    const again = world.settle(world.start(gone.id, { peers: ALL }));

    expect(removed.kind).toBe('text');
    expect(gone.failure).toMatchObject({ code: 'KAYA_REMOVED' });
    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_REMOVED: /) });
    await expect(again).rejects.toMatchObject({ code: 'KAYA_NODE_REMOVED' });
  });

  test.each([
    ['new', 'is not the one that the group knows'],
    ['set back', 'was set back to an earlier state'],
  ])('is fenced when its disk is %s, and leaves no timer', async (how, text) => {
    await using world = new NodeWorld();
    const group = await world.startGroup(ALL);
    const leader = await world.leader(group);
    await world.until('the group knows its directories', () => knowsAll(leader));
    const other = othersThan(leader, group)[0]!;
    await other.stop();
    const earlier = crashClone(world.disk(other.id), { kind: 'everything' }, () => 0);
    for (let boot = 2; boot <= 3; boot++) {
      const meanwhile = await world.start(other.id, { peers: ALL });
      await world.settle(meanwhile.node.ready);
      await meanwhile.stop();
    }
    if (how === 'new') world.wipe(other.id);
    else world.setDisk(other.id, earlier);

    const again = await world.start(other.id, { peers: ALL });
    const cause = await world.settle(again.node.failed);
    await Promise.all([again, leader, ...othersThan(leader, group)].map((each) => each.stop()));

    expect(cause).toMatchObject({ code: 'KAYA_FENCED', message: expect.stringContaining(text) });
    expect(again.node.view).toMatchObject({ phase: 'ended', endError: cause });
    expect(world.clock.pendingTimers).toBe(0);
  });
});

function othersThan(leader: TestNode, group: readonly TestNode[]): readonly TestNode[] {
  return group.filter((node) => node !== leader);
}

/** Who of `nodes` leads at the moment that `moment` has come; undefined when nobody does. */
async function successorAt(moment: Promise<unknown>, nodes: readonly TestNode[]): Promise<number | undefined> {
  await moment;
  return nodes.find(({ node }) => node.view.raft?.role === 'leader')?.id;
}

function knowsAll({ node }: TestNode): boolean {
  const members = node.view.machine?.members ?? [];
  return members.length === ALL.length && members.every(({ incarnation }) => incarnation > 0);
}

function keysOf(answer: Response): readonly string[] {
  return answer.kind === 'items' ? answer.items.map(({ key }) => decodeUtf8(key)) : [];
}
