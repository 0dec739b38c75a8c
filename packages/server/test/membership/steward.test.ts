/** What a leader of a group of real nodes does without being asked. */

import { describe, expect, test } from 'vitest';

import type { Member } from '../../src/machine/command.ts';
import { MembershipWorld, type Site, TICK_MS } from './membership-world.ts';

const FOR_GOOD = { isDryRun: false } as const;

function newMember(node: number, staysLearner = false) {
  return { node, peerAddress: `peer-${node}`, clientAddress: `client-${node}`, staysLearner };
}

function dutiesOf(site: Site): readonly unknown[] {
  return site.log
    .filter(({ event }) => event === 'group.duty')
    .map(({ duty, member }) => `${String(duty)} ${String(member)}`);
}

/** In ticks. */
function pausesBetween(times: readonly number[]): readonly number[] {
  return times.slice(1).map((time, i) => (time - times[i]!) / TICK_MS);
}

/** A group in which everybody knows everybody. */
async function openKnown(nodes: readonly number[]): Promise<{ world: MembershipWorld; leader: Site }> {
  const world = await MembershipWorld.open(nodes);
  world.greet();
  const leader = world.site(nodes[0]!);
  await world.until('all rows are there', () => leader.rows.length === nodes.length);
  return { world, leader };
}

describe('rows of members', { timeout: 30_000 }, () => {
  test('are written by the leader alone: its own, and those of members that it has met', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    world.site(1).meet(3);
    world.site(2).meet(1);

    await world.ticks(30);

    expect(world.site(2).rows).toEqual(['1:10', '3:30']);
    expect([dutiesOf(world.site(1)), dutiesOf(world.site(2))]).toEqual([['put-member 1', 'put-member 3'], []]);
  });

  test('are written once, as long as nothing changes', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    const { lastIndex } = leader.node.status();

    await world.ticks(100);

    expect(leader.node.status().lastIndex).toBe(lastIndex);
  });

  test('follow what members say of themselves, but for another directory', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;

    leader.meet(2, { peerAddress: 'moved', level: 3 });
    leader.meet(3, { incarnation: 31, peerAddress: 'stranger' });
    await world.ticks(30);

    expect(leader.machine.members).toMatchObject([
      { node: 1 },
      { node: 2, incarnation: 20, level: 3, peerAddress: 'moved', clientAddress: 'client-2' },
      { node: 3, incarnation: 30, peerAddress: 'peer-3' },
    ]);
  });

  test('go by what those say who are there', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    leader.parted.add(2);
    for (const node of [2, 3]) leader.meet(node, { peerAddress: 'before' });

    await world.ticks(30);

    expect(leader.machine.members.map(({ peerAddress }) => peerAddress)).toEqual(['peer-1', 'peer-2', 'before']);
  });

  test('of nodes in no part of the configuration go', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    const left: Member = {
      node: 7,
      incarnation: 70,
      level: 1,
      isToBePromoted: true,
      peerAddress: '',
      clientAddress: '',
    };

    await world.settle(leader.access.propose({ kind: 'put-member', member: left }));
    await world.until('it is gone', () => leader.rows.length === 3);

    expect(leader.machine.wasRemoved(7, 70)).toBe(true);
  });

  test('of a removal that a leader has begun and not finished, dead as it is, go by the next one', async () => {
    const { world, leader } = await openKnown([1, 2, 3, 4]);
    await using _world = world;
    leader.intercept = async (what) => {
      if (what === 'drop-member') await world.kill(1);
    };

    const failure = await world.failure(leader.membership.remove(4, FOR_GOOD));
    const next = await world.newLeader(leader);
    await world.until('the row is gone', () => !next.rows.includes('4:40'));

    expect(failure).toMatchObject({
      code: 'KAYA_UNKNOWN_OUTCOME',
      message: expect.stringContaining('node 4 was removed') as string,
    });
    expect(next.configuration).toBe('1 2 3');
    expect(next.machine.wasRemoved(4, 40)).toBe(true);
  });

  test('of an addition that ended with its leader go by the next one', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    leader.intercept = async (what) => {
      if (what === 'add-learner') await world.kill(1);
    };

    await world.failure(leader.membership.add(newMember(4), FOR_GOOD));
    const next = await world.newLeader(leader);
    await world.until('the row is gone', () => dutiesOf(next).includes('drop-member 4'));

    expect(next.rows).toEqual(['1:10', '2:20', '3:30']);
    expect(next.configuration).toBe('1 2 3');
  });

  test('wait until what was there before the leader’s term is applied', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    // The next leader can commit nothing, and stays in office.
    world.passes = ({ kind, from }) => kind !== 'append' || from === 1;
    await world.settle(leader.membership.transfer(2));
    const next = await world.newLeader(leader);
    const { lastIndex } = next.node.status();
    next.meet(3, { level: 2 });

    await world.ticks(30);
    const before = next.node.status();
    world.passes = () => true;
    await world.until('the row is written', () => next.machine.members[2]?.level === 2);

    expect(before).toMatchObject({ role: 'leader', lastIndex });
  });

  test('wait while leadership is being handed over', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    world.isolate(3);
    const transferring = world.failure(leader.node.transferLeader(3));
    leader.meet(2, { level: 2 });

    await transferring;
    await world.until('the row is written', () => leader.machine.members[1]?.level === 2);

    expect(leader.log.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('of an addition that is under way are left alone', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    leader.intercept = async (what) => {
      if (what === 'add-learner') await gate;
    };

    const adding = leader.membership.add(newMember(4), FOR_GOOD);
    await world.ticks(30);
    const during = leader.rows;
    release();
    await world.settle(adding);

    expect(during).toContain('4:0 to be promoted');
    expect(leader.rows).toContain('4:0 to be promoted');
  });

  test('wait while a change goes through two configurations', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    const context = new Uint8Array(0);
    const enter = { transition: 'explicit', steps: [{ kind: 'add-learner', node: 4 }], context } as const;
    await world.settle(leader.node.proposeConfigChange(enter));
    const { lastIndex } = leader.node.status();
    leader.meet(2, { level: 2 });

    const refusal = await world.failure(leader.membership.remove(3, FOR_GOOD));
    await world.ticks(30);
    const after = leader.node.status().lastIndex;
    await world.settle(leader.node.proposeConfigChange({ transition: 'auto', steps: [], context }));
    await world.until('the row is written', () => leader.machine.members[1]?.level === 2);

    expect(refusal).toMatchObject({ code: 'KAYA_OVERLOADED', message: expect.stringContaining('try again') as string });
    expect(after).toBe(lastIndex);
  });

  test('that could not be written wait, longer each time', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    const attempts: number[] = [];
    leader.intercept = async () => {
      attempts.push(world.clock.now());
      throw new Error('not now');
    };

    leader.meet(2, { level: 2 });
    await world.ticks(1000);

    expect(pausesBetween(attempts).slice(0, 6)).toEqual([20, 40, 80, 160, 200, 200]);
  });

  test('that could not be written are tried again as soon as at first when something was written in between', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    const attempts: number[] = [];
    leader.intercept = async () => {
      attempts.push(world.clock.now());
      if (attempts.length !== 3) throw new Error('not now');
    };

    leader.meet(2, { level: 2 });
    await world.until('it is written', () => attempts.length === 3);
    leader.meet(2, { level: 3 });
    await world.until('it was tried twice', () => attempts.length === 5);

    const pauses = pausesBetween(attempts);
    expect([pauses[0], pauses[1], pauses[3]]).toEqual([20, 40, 20]);
  });

  test('one that fails keeps none of the others waiting for ever', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    leader.meet(2, { level: 2 });
    leader.meet(3, { level: 3 });
    let isRefused = true;
    leader.intercept = async () => {
      if (!isRefused) return;
      isRefused = false;
      throw new Error('not now');
    };

    await world.until('the second one is done', () => leader.machine.members[2]?.level === 3);

    expect(leader.machine.members[1]?.level).toBe(1);
  });
});

describe('a learner that is to be promoted', { timeout: 60_000 }, () => {
  test('votes when it has caught up, and is marked no more', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    await world.start(4);
    leader.meet(4);

    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));
    await world.until('it votes', () => leader.configuration === '1 2 3 4');
    await world.ticks(10);

    expect(leader.rows).toEqual(['1:10', '2:20', '3:30', '4:40']);
    expect(world.site(4).configuration).toBe('1 2 3 4');
  });

  test.each([
    ['that is to stay one', true, true],
    ['that is not there', false, false],
  ])('does not vote when it is one %s', async (_what, isThere, staysLearner) => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    if (isThere) await world.start(4);

    await world.settle(leader.membership.add(newMember(4, staysLearner), FOR_GOOD));
    await world.ticks(200);

    expect(leader.configuration).toBe('1 2 3 + 4');
  });

  test('does not vote before the group knows its directory', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    await world.start(4);

    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));
    await world.ticks(200);
    const before = leader.configuration;
    leader.meet(4);
    await world.until('it votes', () => leader.configuration === '1 2 3 4');

    expect(before).toBe('1 2 3 + 4');
    expect(leader.rows).toContain('4:40 to be promoted');
  });

  test('does not vote while it is silent, though the group could bear it', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    await world.start(4);
    await world.start(5);
    world.greet();
    world.isolate(3);
    await world.ticks(30);

    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));
    await world.settle(leader.membership.add(newMember(5), FOR_GOOD));
    world.isolate(5);
    await world.until('4 of 4 voters would do', () => leader.configuration === '1 2 3 4 + 5');
    await world.ticks(100);
    const without = leader.configuration;
    world.heal();
    await world.until('all vote', () => leader.configuration === '1 2 3 4 5');

    expect(without).toBe('1 2 3 4 + 5');
  });

  test('does not vote when it goes as soon as it has caught up, and the group could not bear it', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    await world.start(4);
    world.greet();
    world.isolate(3);
    await world.ticks(30);

    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));
    const hasAll = (): boolean => leader.rows.includes('4:40 to be promoted');
    world.passes = ({ kind, from }) => {
      if (kind === 'append-response' && from === 4 && hasAll()) world.isolate(4);
      return true;
    };
    await world.ticks(100);

    expect(leader.rows).toContain('4:40 to be promoted');
    expect(leader.configuration).toBe('1 2 3 + 4');
    expect(world.leader()).toBe(leader);
  });

  test('is promoted by the next leader when the one before has died', async () => {
    const { world, leader } = await openKnown([1, 2, 3]);
    await using _world = world;
    await world.start(4);
    world.greet();
    leader.intercept = async (what) => {
      if (what === 'add-voter') await world.kill(1);
    };

    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));
    const next = await world.newLeader(leader);
    await world.until('it votes', () => next.configuration === '1 2 3 4');

    expect(dutiesOf(next)).toContain('promote 4');
  });

  test('and its like make three, and five, of one; and three again', async () => {
    const { world, leader } = await openKnown([1]);
    await using _world = world;
    for (const node of [2, 3, 4, 5]) {
      await world.start(node);
      world.greet();
      await world.settle(leader.membership.add(newMember(node), FOR_GOOD));
      await world.until(
        `node ${node} votes`,
        () => leader.configuration.endsWith(` ${node}`) && !leader.configuration.includes('+'),
      );
    }
    const five = leader.configuration;

    for (const node of [2, 5]) await world.settle(leader.membership.remove(node, FOR_GOOD));

    expect(five).toBe('1 2 3 4 5');
    expect(leader.configuration).toBe('1 3 4');
    expect(leader.rows).toEqual(['1:10', '3:30', '4:40']);
    await world.until('who is left knows it', () => world.site(4).rows.length === 3);
  });
});
