/** Changes of a group of real nodes, as operators ask for them: what is done, what is refused, and what is left when a leader goes in the middle. */

import { describe, expect, test } from 'vitest';

import type { NewMember } from '../../src/membership/membership-operations.ts';
import { MembershipWorld, type Site } from './membership-world.ts';

const FOR_GOOD = { isDryRun: false } as const;
const DRY = { isDryRun: true } as const;

function newMember(node: number, changes: Partial<NewMember> = {}): NewMember {
  return { node, peerAddress: `peer-${node}`, clientAddress: `client-${node}`, staysLearner: false, ...changes };
}

/** Writes until the log is so much longer. */
async function grow(world: MembershipWorld, site: Site, count: number): Promise<void> {
  const touches = Array.from({ length: count }, () => site.access.propose({ kind: 'touch' }));
  await world.settle(Promise.all(touches));
}

describe('add', { timeout: 30_000 }, () => {
  test('makes a learner, with a row that says what is to become of it', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const leader = world.site(1);

    const planned = await world.settle(leader.membership.add(newMember(4), FOR_GOOD));

    expect(planned.plan.refusal).toBeUndefined();
    expect(planned.index).toBeGreaterThan(1);
    await world.ticks(4);
    for (const node of [1, 2, 3]) {
      expect(world.site(node).configuration).toBe('1 2 3 + 4');
      expect(world.site(node).rows).toEqual(['4:0 to be promoted']);
    }
  });

  test('by dry run changes nothing', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const { lastIndex } = world.site(1).node.status();

    const planned = await world.settle(world.site(1).membership.add(newMember(4), DRY));

    expect(planned).toMatchObject({
      index: undefined,
      plan: { notes: ['node 4 begins as a learner, which has no vote'] },
    });
    expect(world.site(1).node.status().lastIndex).toBe(lastIndex);
  });

  test('of a member is refused with its sentence', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);

    const planned = await world.settle(world.site(1).membership.add(newMember(2), FOR_GOOD));

    expect(planned.index).toBeUndefined();
    expect(planned.plan.refusal).toContain('node 2 is a voter already');
  });

  test('elsewhere than at the leader names it', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.until('node 2 follows', () => world.site(2).node.summary().leader === 1);

    for (const options of [FOR_GOOD, DRY]) {
      const failure = await world.failure(world.site(2).membership.add(newMember(4), options));
      expect(failure).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: 'client-1' });
    }
  });

  test('while another change is under way is to be tried again, and changes nothing', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const { membership } = world.site(1);
    const first = membership.add(newMember(4), FOR_GOOD);

    const second = await world.failure(membership.remove(2, FOR_GOOD));

    expect(second).toMatchObject({ code: 'KAYA_OVERLOADED', message: expect.stringContaining('try again') as string });
    await world.settle(first);
    expect(world.site(1).configuration).toBe('1 2 3 + 4');
  });

  test('waits for a duty of the leader that is under way', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const leader = world.site(1);
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const begun: string[] = [];
    leader.intercept = async (what) => {
      begun.push(what);
      if (begun.length === 1) await gate;
    };
    leader.steward.tick();

    const adding = leader.membership.add(newMember(4), FOR_GOOD);
    await world.ticks(10);
    const before = [...begun];
    release();
    await world.settle(adding);

    expect(before).toEqual(['put-member']);
    expect(begun).toEqual(['put-member', 'put-member', 'add-learner']);
  });

  test('of a node that was removed takes another directory of it', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    const leader = world.site(1);
    leader.meet(3);
    await world.until('the rows are there', () => leader.rows.includes('3:30'));
    await world.settle(leader.membership.remove(3, FOR_GOOD));

    await world.settle(leader.membership.add(newMember(3, { staysLearner: true }), FOR_GOOD));
    await world.ticks(50);
    const before = leader.rows;
    leader.meet(3, { incarnation: 31 });
    await world.until('the new directory is known', () => leader.rows.includes('3:31'));

    expect(before).toEqual(['1:10', '3:0']);
    expect([leader.machine.wasRemoved(3, 30), leader.machine.wasRemoved(3, 31)]).toEqual([true, false]);
    expect(leader.configuration).toBe('1 2 + 3');
  });

  test('of a node whose row was left behind with a directory begins anew', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const leader = world.site(1);
    const old = { node: 4, incarnation: 40, level: 1, isToBePromoted: false, peerAddress: 'old', clientAddress: 'old' };
    await world.settle(leader.access.propose({ kind: 'put-member', member: old }));

    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));

    expect(leader.machine.members).toMatchObject([{ node: 4, incarnation: 0, peerAddress: 'peer-4' }]);
    expect(leader.machine.wasRemoved(4, 40)).toBe(true);
  });

  test.each(['put-member', 'add-learner'])(
    'whose leader is replaced in front of its %s leaves nothing of it, and succeeds when it is asked for again',
    async (step) => {
      await using world = await MembershipWorld.open([1, 2, 3]);
      const old = world.site(1);
      await world.until('its own row is there', () => old.rows.length === 1);
      old.intercept = async (what) => {
        if (what !== step) return;
        await old.node.transferLeader(2);
      };

      const failure = await world.failure(old.membership.add(newMember(4), FOR_GOOD));
      const leader = await world.newLeader(old);
      await world.ticks(30);
      const rows = leader.rows;
      await world.settle(leader.membership.add(newMember(4), FOR_GOOD));

      expect(failure).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: 'client-2' });
      expect(rows.filter((row) => row.startsWith('4'))).toEqual([]);
      expect(leader.configuration).toBe('1 2 3 + 4');
    },
  );
});

describe('promote', { timeout: 30_000 }, () => {
  test('makes a voter of a learner that has caught up', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    await world.start(4);
    const { membership } = world.site(1);
    await world.settle(membership.add(newMember(4, { staysLearner: true }), FOR_GOOD));
    await world.ticks(100);
    const early = await world.failure(membership.promote(4, FOR_GOOD));
    const before = world.site(1).configuration;
    world.site(1).meet(4);

    const planned = await world.settle(membership.promote(4, FOR_GOOD));

    expect(before).toBe('1 2 3 + 4');
    expect(early).toMatchObject({
      code: 'KAYA_MEMBERSHIP_REFUSED',
      message: expect.stringContaining('which directory it has') as string,
    });
    expect(planned.plan.after.voters).toEqual([1, 2, 3, 4]);
    expect(world.site(1).configuration).toBe('1 2 3 4');
  });

  test.each(['not there', 'silent'])('refuses a learner that is %s, by dry run too', async (how) => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const { membership } = world.site(1);
    if (how === 'silent') await world.start(4);
    await world.settle(membership.add(newMember(4), FOR_GOOD));
    await world.ticks(how === 'silent' ? 20 : 1);
    world.isolate(4);
    if (how === 'silent') await world.ticks(40);

    for (const options of [DRY, FOR_GOOD]) {
      const { plan, index } = await world.settle(membership.promote(4, options));
      expect(plan.refusal).toContain('node 4 does not answer');
      expect(index).toBeUndefined();
    }
    expect(world.site(1).configuration).toBe('1 2 3 + 4');
  });

  test('refuses a learner that is far behind, with the numbers', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const leader = world.site(1);
    await world.start(4);
    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));
    await world.until('it follows', () => leader.node.status().progress.get(4)?.state === 'replicate');
    world.passes = ({ to, kind }) => to !== 4 || kind !== 'append';
    await grow(world, leader, 1100);

    const { plan } = await world.settle(leader.membership.promote(4, DRY));

    const { lastIndex, progress } = leader.node.status();
    const { match } = progress.get(4)!;
    expect(lastIndex - match).toBeGreaterThan(1000);
    expect(plan.refusal).toContain(`node 4 is ${lastIndex - match} entries behind`);
  });

  test('that would cost the group its quorum is refused with the arithmetic', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const leader = world.site(1);
    await world.start(4);
    await world.settle(leader.membership.add(newMember(4), FOR_GOOD));
    await world.until('it follows', () => leader.node.status().progress.get(4)?.state === 'replicate');
    await world.kill(2);
    await world.kill(4);
    await world.ticks(30);

    const { plan } = await world.settle(leader.membership.promote(4, FOR_GOOD));

    expect(plan.refusal).toContain('of 4 voters 3 must answer, and 2 would; nodes 2, 4 do not answer');
    expect(leader.configuration).toBe('1 2 3 + 4');
  });
});

describe('remove', { timeout: 30_000 }, () => {
  test('takes a voter out, and its row, and remembers its directory', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const leader = world.site(1);
    leader.meet(3);
    await world.settle(
      leader.access.propose({
        kind: 'put-member',
        member: { node: 3, incarnation: 0, level: 1, isToBePromoted: false, peerAddress: '', clientAddress: '' },
      }),
    );

    const { index, plan } = await world.settle(leader.membership.remove(3, FOR_GOOD));

    expect(plan.after.voters).toEqual([1, 2]);
    expect(leader.configuration).toBe('1 2');
    expect(leader.rows).toEqual([]);
    expect(leader.machine.wasRemoved(3, 30)).toBe(true);
    // Something is committed that was proposed without it.
    expect(leader.node.status().commit).toBeGreaterThan(index!);
  });

  test('remembers the directory of a voter that had no row yet', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const leader = world.site(1);
    leader.meet(3);

    await world.settle(leader.membership.remove(3, FOR_GOOD));

    expect(leader.rows).toEqual([]);
    expect(leader.machine.wasRemoved(3, 30)).toBe(true);
  });

  test('of the only voter is refused', async () => {
    await using world = await MembershipWorld.open([1], false);

    const { plan, index } = await world.settle(world.site(1).membership.remove(1, FOR_GOOD));

    expect([plan.refusal, index]).toEqual([expect.stringContaining('node 1 is the only voter'), undefined]);
  });

  test('that would cost the quorum is refused with the arithmetic', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.kill(3);
    await world.ticks(30);

    const { plan } = await world.settle(world.site(1).membership.remove(2, FOR_GOOD));

    expect(plan.refusal).toContain('of 2 voters 2 must answer, and 1 would; node 3 does not answer');
    expect(world.site(1).configuration).toBe('1 2 3');
  });

  test('is planned without a voter that has died in the same moment', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.ticks(30);
    await world.kill(3);

    const { plan } = await world.settle(world.site(1).membership.remove(2, FOR_GOOD));

    expect(plan.refusal).toContain('of 2 voters 2 must answer, and 1 would; node 3 does not answer');
    expect(world.site(1).configuration).toBe('1 2 3');
  });

  test('of a stranger is refused, and names the members', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);

    const { plan } = await world.settle(world.site(1).membership.remove(9, FOR_GOOD));

    expect(plan.refusal).toContain('node 9 is no member; the members are 1, 2, 3');
  });

  test('of the leader hands over first, and the next leader does it', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    const old = world.site(1);
    await world.ticks(10);

    const failure = await world.failure(old.membership.remove(1, FOR_GOOD));
    const leader = world.leader()!;
    await world.settle(leader.membership.remove(1, FOR_GOOD));

    expect(failure).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: `client-${leader.id}` });
    expect(leader.id).not.toBe(1);
    expect(leader.configuration).toBe('2 3');
  });

  test.each([
    ['remove', 'KAYA_NOT_LEADER', '1 2 3'],
    ['drop-member', 'KAYA_UNKNOWN_OUTCOME', '1 2'],
  ])('whose leader is replaced in front of its %s is finished by the next one', async (step, code, configuration) => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    const old = world.site(1);
    for (const site of [1, 2]) world.site(site).meet(3);
    await world.until('the rows are there', () => old.rows.includes('3:30'));
    old.intercept = async (what) => {
      if (what === step) await old.node.transferLeader(2);
    };

    const failure = await world.failure(old.membership.remove(3, FOR_GOOD));
    const leader = await world.newLeader(old);
    await world.ticks(30);

    expect(failure.code).toBe(code);
    expect(leader.configuration).toBe(configuration);
    expect(leader.machine.wasRemoved(3, 30)).toBe(configuration === '1 2');
    expect(leader.rows.some((row) => row.startsWith('3'))).toBe(configuration !== '1 2');
  });

  test('whose end is not known can be asked for again, and then is over', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const old = world.site(1);
    await world.settle(
      old.access.propose({
        kind: 'put-member',
        member: { node: 3, incarnation: 30, level: 1, isToBePromoted: false, peerAddress: '', clientAddress: '' },
      }),
    );
    old.intercept = async (what) => {
      if (what === 'drop-member') await old.node.transferLeader(2);
    };
    await world.failure(old.membership.remove(3, FOR_GOOD));
    const leader = await world.newLeader(old);

    const { plan, index } = await world.settle(leader.membership.remove(3, FOR_GOOD));

    expect(plan).toMatchObject({
      refusal: undefined,
      notes: [expect.stringContaining('was removed before') as string],
    });
    expect(index).toBeGreaterThan(1);
    expect(leader.rows).toEqual([]);
  });
});

describe('transfer', { timeout: 30_000 }, () => {
  test('gives leadership to the voter that was asked for', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);

    const leader = await world.settle(world.site(1).membership.transfer(3));

    expect(leader).toBe(3);
    await world.until('node 3 leads', () => world.leader()?.id === 3);
  });

  test('to anybody takes the one that has the most of the log', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.ticks(20);
    world.isolate(2);
    await grow(world, world.site(1), 3);

    const leader = await world.settle(world.site(1).membership.transfer(0));

    expect(leader).toBe(3);
  });

  test('to who leads already does nothing, wherever it is asked', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.until('node 2 follows', () => world.site(2).node.summary().leader === 1);
    const { term } = world.site(1).node.status();

    const answers = [await world.site(1).membership.transfer(1), await world.site(2).membership.transfer(1)];

    expect(answers).toEqual([1, 1]);
    expect(world.site(1).node.status()).toMatchObject({ role: 'leader', term });
  });

  test('elsewhere than at the leader names it', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.until('node 2 follows', () => world.site(2).node.summary().leader === 1);

    const failure = await world.failure(world.site(2).membership.transfer(2));

    expect(failure).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: 'client-1' });
  });

  test.each([
    ['a stranger', 9, 'node 9 is no member'],
    ['a learner', 4, 'node 4 is a learner'],
    ['one that does not answer', 3, 'node 3 does not answer'],
  ])('to %s is refused', async (_who, node, sentence) => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.start(4);
    await world.settle(world.site(1).membership.add(newMember(4), FOR_GOOD));
    await world.kill(3);
    await world.ticks(30);

    const failure = await world.failure(world.site(1).membership.transfer(node));

    expect(failure).toMatchObject({
      code: 'KAYA_MEMBERSHIP_REFUSED',
      message: expect.stringContaining(sentence) as string,
    });
    expect(world.leader()?.id).toBe(1);
  });

  test('to anybody is refused where there is nobody', async () => {
    await using world = await MembershipWorld.open([1], false);

    const failure = await world.failure(world.site(1).membership.transfer(0));

    expect(failure).toMatchObject({ code: 'KAYA_MEMBERSHIP_REFUSED' });
  });

  test('that is not taken in time says why, and the leader goes on', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.ticks(20);
    world.site(1).intercept = async () => world.isolate(3);

    const failure = await world.failure(world.site(1).membership.transfer(3));

    expect(failure).toMatchObject({
      code: 'KAYA_MEMBERSHIP_REFUSED',
      message: expect.stringContaining('node 3 did not take over in time') as string,
    });
    expect(world.leader()?.id).toBe(1);
  });

  test('of a leader that was just elected waits until it has heard the others', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    await world.deafen(2);

    const transferring = world.site(2).membership.transfer(3);
    await world.ticks(2);
    world.passes = () => true;

    expect(await world.settle(transferring)).toBe(3);
  });

  test('to anybody is content with whoever was elected meanwhile', async () => {
    await using world = await MembershipWorld.open([1, 2, 3], false);
    const { membership, node } = world.site(1);
    await world.ticks(20);
    world.site(1).intercept = async () => node.transferLeader(3);

    expect(await world.settle(membership.transfer(0))).toBe(3);
  });
});
