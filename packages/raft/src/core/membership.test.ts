/** Changes of membership: what they lead to, what they refuse, and that majorities always meet (thesis chapter 4). */

import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { ConfigStep } from './config-change.ts';
import { describeConfiguration, describeSteps } from './describe-configuration.ts';
import {
  changeMembership,
  changeSimply,
  enterJoint,
  isJoint,
  leaveJoint,
  type MembershipResult,
  membersOf,
  restoreMembership,
} from './membership.ts';
import { type Configuration, EMPTY_CONFIGURATION } from './types.ts';

const KINDS = { v: 'add-voter', l: 'add-learner', r: 'remove', u: 'update' } as const;
const NO_CONTEXT = new Uint8Array();
/** Bound: on a machine with much else to do. */
const TIMEOUT_MS = 60_000;

function steps(text: string): readonly ConfigStep[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ kind: KINDS[word[0] as keyof typeof KINDS], node: Number(word.slice(1)) }));
}

function describeResult(result: MembershipResult): string {
  return result.kind === 'refused' ? result.reason : describeConfiguration(result.configuration);
}

function configurationOf(result: MembershipResult): Configuration {
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.configuration;
}

const three = { ...EMPTY_CONFIGURATION, voters: [1, 2, 3] };

describe('changeMembership', () => {
  test.each([
    ['auto', 'v4', 'voters=(1 2 3 4)'],
    ['auto', 'v4 r1', 'voters=(2 3 4)&&(1 2 3) autoleave'],
    ['implicit', 'v4', 'voters=(1 2 3 4)&&(1 2 3) autoleave'],
    ['explicit', 'l3', 'voters=(1 2)&&(1 2 3) learners_next=(3)'],
    ['auto', '', "can't leave a non-joint config"],
  ] as const)('of transition %s with steps "%s" leads to %s', (transition, text, expected) => {
    const result = changeMembership(three, { transition, steps: steps(text), context: NO_CONTEXT });

    expect(describeResult(result)).toBe(expected);
  });

  test('leaves a joint configuration, and makes learners of those who waited for it', () => {
    const joint = configurationOf(enterJoint(three, steps('l3 l4'), true));

    const result = changeMembership(joint, { transition: 'auto', steps: [], context: NO_CONTEXT });

    expect(describeResult(result)).toBe('voters=(1 2) learners=(3 4)');
  });

  test('names whose progress starts anew: the new, and those who were removed and added again', () => {
    const plain = changeSimply(three, steps('r2 v2 l5 l6 r6'));
    const joint = enterJoint(three, steps('r2 v2 v5'), false);

    expect(plain).toMatchObject({ kind: 'changed', fresh: [2, 5] });
    expect(joint).toMatchObject({ kind: 'changed', fresh: [5] });
  });
});

describe('restoreMembership', () => {
  test.each([
    ['voters (2 1) are not ascending ids', { voters: [2, 1] }],
    ['voters (0 1) are not ascending ids', { voters: [0, 1] }],
    ['a group without voters has members', { learners: [1] }],
    ['1 is a learner and a voter', { voters: [1], learners: [1] }],
    ['2 is a learner and a voter', { voters: [1], votersOutgoing: [2], learners: [2] }],
    ['2 is to become a learner and is no outgoing voter', { voters: [1], votersOutgoing: [1], learnersNext: [2] }],
    ['2 is to be a learner and to stay a voter', { voters: [2], votersOutgoing: [2], learnersNext: [2] }],
    ['a configuration that is not joint is to be left', { voters: [1], autoLeave: true }],
  ])('refuses what no change can lead to: %s', (reason, flawed) => {
    const result = restoreMembership({ ...EMPTY_CONFIGURATION, ...flawed });

    expect(describeResult(result)).toBe(reason);
  });

  test('starts everybody anew', () => {
    const result = restoreMembership({
      ...EMPTY_CONFIGURATION,
      voters: [1],
      votersOutgoing: [2, 3],
      learners: [4],
      learnersNext: [2],
    });

    expect(result).toMatchObject({ kind: 'changed', fresh: [1, 2, 3, 4] });
  });
});

/** Whether each majority of one list meets each of the other: the least two together are more than all there are. */
function majoritiesMeet(a: readonly number[], b: readonly number[]): boolean {
  const least = Math.floor(a.length / 2) + Math.floor(b.length / 2) + 2;
  return a.length === 0 || b.length === 0 || least > new Set([...a, ...b]).size;
}

function halvesOf(of: Configuration): readonly (readonly number[])[] {
  return isJoint(of) ? [of.voters, of.votersOutgoing] : [of.voters];
}

/** What is wrong with a change from one configuration to another, if anything. */
function flawsOf(before: Configuration, after: Configuration, fresh: readonly number[]): readonly string[] {
  const flaws: string[] = [];
  const restored = describeResult(restoreMembership(after));
  if (restored !== describeConfiguration(after)) flaws.push(`cannot be restored: ${restored}`);
  if (!halvesOf(before).some((a) => halvesOf(after).some((b) => majoritiesMeet(a, b))))
    flaws.push('majorities do not meet');
  const known = [...membersOf(before), ...fresh];
  if (!membersOf(after).every((id) => known.includes(id))) flaws.push('a member is neither kept nor fresh');
  return flaws;
}

describe('a group over many changes', () => {
  const random = seededRandom(testSeed()).fork('membership');
  const kinds = Object.values(KINDS);

  function someSteps(): readonly ConfigStep[] {
    return Array.from({ length: random.int(5) }, () => ({ kind: random.pick(kinds), node: random.int(7) }));
  }

  function someChange(configuration: Configuration, some: readonly ConfigStep[]): MembershipResult {
    if (isJoint(configuration) && random.chance(0.5)) return leaveJoint(configuration);
    return random.chance(0.5) ? changeSimply(configuration, some) : enterJoint(configuration, some, random.chance(0.5));
  }

  test(
    `only ever reaches configurations that can be restored, by majorities that meet (seed ${testSeed()})`,
    { timeout: TIMEOUT_MS },
    () => {
      let configuration: Configuration = EMPTY_CONFIGURATION;
      let changes = 0;
      const flaws: string[] = [];
      for (let round = 0; round < 10_000; round++) {
        const some = someSteps();
        const result = someChange(configuration, some);
        if (result.kind === 'refused') continue;
        const what = `${describeConfiguration(configuration)} with ${describeSteps(some)}`;
        flaws.push(...flawsOf(configuration, result.configuration, result.fresh).map((flaw) => `${what}: ${flaw}`));
        configuration = result.configuration;
        changes++;
      }

      expect(flaws).toEqual([]);
      expect(changes).toBeGreaterThan(2000);
    },
  );
});
