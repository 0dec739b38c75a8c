/**
 * Scripts that nobody has written: random commands, with lost messages, elections, changes of membership and snapshots. What they print nobody
 * knows, but cores never break, no term has two leaders, entries that were applied once are never others, and the same script prints the same.
 */

import { seededRandom, type SeededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { InteractionEnvironment } from '../src/interaction/interaction-environment.ts';
import { parseScript } from '../src/script/parse-script.ts';

const SCRIPTS = 40;
/** Where other work has the machine to itself. */
const TIMEOUT_MS = 120_000;
const DIRECTIVES = 200;
/** Of a group of three and of one that may join. */
const NODES = 4;

const OPTIONS = [
  'prevote=true',
  'checkquorum=true',
  'async-storage-writes=true',
  'inflight=2',
  'step-down-on-removal=true',
];
const TYPES = ['MsgApp', 'MsgAppResp', 'MsgVote', 'MsgVoteResp', 'MsgHeartbeat', 'MsgHeartbeatResp', 'MsgSnap'];

/** A group that has applied entries 11 to 14, so that all of them may be compacted, and a node that has not. */
function setup(random: SeededRandom): readonly string[] {
  const options = OPTIONS.filter(() => random.chance(0.3));
  return [
    'log-level none',
    `add-nodes 3 voters=(1,2,3) index=10 ${options.join(' ')}`,
    // From a snapshot too: a node of a script that starts from nothing has none to send before it has applied an entry.
    `add-nodes 1 voters=(1,2,3) index=10 ${options.join(' ')}`,
    'campaign 1',
    'stabilize',
    ...['a', 'b', 'c'].map((data) => `propose 1 ${data}`),
    'stabilize',
    ...[1, 2, 3].filter(() => random.chance(0.5)).map((id) => `compact ${id} 14`),
    'log-level debug',
  ];
}

function someDirective(random: SeededRandom, count: number): string {
  const id = 1 + random.int(NODES);
  const other = 1 + random.int(NODES);
  const step = `${random.pick(['v', 'l', 'r', 'u'])}${2 + random.int(NODES - 1)}`;
  const choices: readonly (readonly [number, string])[] = [
    [14, `process-ready ${id}`],
    [14, `deliver-msgs ${id}`],
    [6, `deliver-msgs ${id} type=${random.pick(TYPES)}`],
    [4, `deliver-msgs drop=(${id})`],
    [8, `process-append-thread ${id}`],
    [6, `process-apply-thread ${id}`],
    [12, `propose ${id} p${count}`],
    [6, `tick-heartbeat ${id}`],
    [3, `tick-election ${id}`],
    [3, `campaign ${id}`],
    [2, `stabilize ${id} ${other}`],
    [3, 'stabilize'],
    [4, `propose-conf-change ${id} v1=true\n${step}`],
    [4, `propose-conf-change ${id} transition=${random.pick(['auto', 'implicit', 'explicit'])}\n${step}`],
    [2, `propose-conf-change ${id}`],
    [1, `transfer-leadership from=${id} to=${other}`],
    [1, `forget-leader ${id}`],
    [1, `report-unreachable ${id} ${other}`],
    [1, `compact ${1 + random.int(3)} ${11 + random.int(4)}`],
    [1, `set-randomized-election-timeout ${id} timeout=${3 + random.int(4)}`],
    [1, `status ${id}`],
    [1, `raft-log ${id}`],
    [6, 'raft-state'],
  ];
  let left = random.int(choices.reduce((sum, [weight]) => sum + weight, 0));
  return choices.find(([weight]) => (left -= weight) < 0)![1];
}

function someScript(random: SeededRandom): readonly string[] {
  const directives = Array.from({ length: DIRECTIVES }, (_, count) => someDirective(random, count));
  return [...setup(random), ...directives, 'stabilize', 'raft-state'];
}

function outputsOf(script: readonly string[]): readonly string[] {
  const environment = new InteractionEnvironment(true);
  return script.map((directive) => environment.run(parseScript(`${directive}\n----\n`)[0]!));
}

/** Terms in which more than one node said that it leads. */
function termsWithTwoLeaders(outputs: readonly string[]): readonly string[] {
  const leaders = new Map<string, Set<string>>();
  for (const [, id, term] of outputs.join('\n').matchAll(/^(\d+): StateLeader .* Term:(\d+)/gm)) {
    leaders.set(term!, (leaders.get(term!) ?? new Set()).add(id!));
  }
  return [...leaders].filter(([, ids]) => ids.size > 1).map(([term]) => term);
}

/** Entries that some node applied where another applied a different one. */
function conflictingEntries(outputs: readonly string[]): readonly string[] {
  const applied = new Map<string, string>();
  const conflicts: string[] = [];
  for (const [, entries] of outputs.join('\n').matchAll(/CommittedEntries:\n((?: *\d+\/\d+ Entry.*\n)+)/g)) {
    for (const [entry, , index] of entries!.matchAll(/(\d+)\/(\d+) Entry.*/g)) {
      const other = applied.get(index!) ?? entry;
      if (other !== entry) conflicts.push(`${entry} and ${other}`);
      applied.set(index!, other);
    }
  }
  return conflicts;
}

/** What is wrong with one script, if anything. */
function flawsOf(outputs: readonly string[]): readonly string[] {
  return [
    ...termsWithTwoLeaders(outputs).map((term) => `two leaders in term ${term}`),
    ...conflictingEntries(outputs).map((entries) => `both were applied: ${entries}`),
  ];
}

function countOf(text: string, words: string): number {
  return text.split(words).length - 1;
}

describe('random scripts', () => {
  test(
    `break nothing, and reach elections, snapshots, joint configurations and repaired logs (seed ${testSeed()})`,
    { timeout: TIMEOUT_MS },
    () => {
      const random = seededRandom(testSeed()).fork('random-scripts');
      const flaws: string[] = [];
      const reached = { elections: 0, snapshots: 0, joint: 0, rejections: 0 };

      for (let at = 0; at < SCRIPTS; at++) {
        const outputs = outputsOf(someScript(random.fork(`${at}`)));
        flaws.push(...flawsOf(outputs).map((flaw) => `script ${at}: ${flaw}`));
        const text = outputs.join('\n');
        reached.elections += countOf(text, 'became leader');
        reached.snapshots += countOf(text, '] restored snapshot');
        reached.joint += countOf(text, ')&&(');
        reached.rejections += countOf(text, 'rejected MsgApp');
      }

      expect(flaws).toEqual([]);
      expect(reached.elections).toBeGreaterThan(SCRIPTS);
      expect(reached.snapshots).toBeGreaterThan(SCRIPTS / 4);
      expect(reached.joint).toBeGreaterThan(SCRIPTS);
      expect(reached.rejections).toBeGreaterThan(SCRIPTS);
    },
  );

  test('print the same each time', () => {
    const script = someScript(seededRandom(testSeed()).fork('again'));

    expect(outputsOf(script)).toEqual(outputsOf(script));
  });
});
