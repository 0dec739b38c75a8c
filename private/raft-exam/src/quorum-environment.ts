/**
 * Scripts of the commands `committed` and `vote`: what a majority, or a joint quorum, has agreed on. Every result is computed in other ways as
 * well, and a way that differs is printed.
 */

import type { LogIndex, NodeId } from '@kayadb/raft';
import { committedIndex, majorityIndex, majorityVote, type MatchSource, voteResult } from '@kayadb/raft/testing';

import type { Environment } from './environment.ts';
import { eachValue, toInteger } from './script/arguments.ts';
import type { Directive } from './script/parse-script.ts';
import { ScriptError } from './script/script-error.ts';
import { describeAcknowledgements } from './words/describe-acknowledgements.ts';

const VOTE_NUMBERS: { readonly [vote: string]: number | undefined } = { y: 2, n: 1, _: 0 };
const RESULT_WORDS = { won: 'VoteWon', lost: 'VoteLost', pending: 'VotePending' } as const;

interface Question {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly isJoint: boolean;
  /** In the order of voters and of outgoing ones who are not voters, 0 for what is not known. */
  readonly numbers: readonly number[];
}

export class QuorumEnvironment implements Environment {
  run(directive: Directive): string {
    if (directive.command !== 'committed' && directive.command !== 'vote') {
      throw new ScriptError(`unknown command: ${directive.command}`);
    }
    const question = questionOf(directive);
    const everybody = [...new Set([...question.voters, ...question.outgoing])];
    if (everybody.length !== question.numbers.length) {
      const ids = ascending(everybody).map((id) => `${id}:{}`);
      const numbers = question.numbers.join(' ');
      return `error: mismatched input (explicit or _) for voters map[${ids.join(' ')}]: [${numbers}]`;
    }
    const known = new Map(
      everybody.map((id, at) => [id, question.numbers[at]!] as const).filter(([, number]) => number > 0),
    );
    const sorted = { ...question, voters: ascending(question.voters), outgoing: ascending(question.outgoing) };
    return directive.command === 'vote' ? answerVote(sorted, known) : answerCommitted(sorted, known);
  }
}

function questionOf(directive: Directive): Question {
  const numbersOf: { readonly [key: string]: number[] } = { cfg: [], cfgj: [], idx: [], votes: [] };
  let isJoint = false;
  for (const { key, value } of eachValue(directive.args)) {
    const numbers = numbersOf[key];
    if (numbers === undefined) throw new ScriptError(`unknown arg ${key}`);
    if (key === 'cfgj') isJoint = true;
    if (key === 'cfgj' && value === 'zero') continue;
    numbers.push(toNumber(key, value));
  }
  const { cfg, cfgj, idx, votes } = numbersOf;
  return {
    voters: cfg!,
    outgoing: cfgj!,
    isJoint,
    numbers: directive.command === 'vote' ? votes! : idx!,
  };
}

function toNumber(key: string, value: string): number {
  if (key === 'votes') {
    const vote = VOTE_NUMBERS[value];
    if (vote === undefined) throw new ScriptError(`unknown vote: ${value}`);
    return vote;
  }
  if (key === 'idx' && value === '_') return 0;
  const number = toInteger(value);
  if (key === 'idx' && number === 0) throw new ScriptError('cannot use 0 as idx');
  return number;
}

function answerVote({ voters, outgoing, isJoint }: Question, numbers: ReadonlyMap<NodeId, number>): string {
  const votes = new Map([...numbers].map(([id, number]) => [id, number === 2]));
  if (!isJoint) return RESULT_WORDS[majorityVote(voters, votes)];
  const result = RESULT_WORDS[voteResult(voters, outgoing, votes)];
  const swapped = RESULT_WORDS[voteResult(outgoing, voters, votes)];
  return swapped === result ? result : `${swapped} <-- via symmetry\n${result}`;
}

function answerCommitted({ voters, outgoing, isJoint }: Question, known: ReadonlyMap<NodeId, LogIndex>): string {
  const source: MatchSource = { matchOf: (id) => known.get(id) ?? 0 };
  const drawing = describeAcknowledgements(ascending([...new Set([...voters, ...outgoing])]), known);
  const index = isJoint ? committedIndex(voters, outgoing, source) : majorityIndex(voters, source);
  const others = isJoint
    ? [{ way: 'via symmetry', other: committedIndex(outgoing, voters, source) }]
    : [
        { way: 'via alternative computation', other: majorityByCounting(voters, source) },
        { way: 'via zero-joint quorum', other: committedIndex(voters, [], source) },
        { way: 'via self-joint quorum', other: committedIndex(voters, voters, source) },
        ...loweredBelow(index, voters, known),
      ];
  const differing = others.filter(({ other }) => other !== index);
  return `${drawing}${differing.map(({ way, other }) => `${word(other)} <-- ${way}\n`).join('')}${word(index)}`;
}

/** The largest index for which those who have it, or more, are a majority. */
function majorityByCounting(voters: readonly NodeId[], source: MatchSource): LogIndex {
  if (voters.length === 0) return Infinity;
  const indexes = voters.map((id) => source.matchOf(id));
  return Math.max(
    0,
    ...indexes.filter((index) => 2 * indexes.filter((other) => other >= index).length > voters.length),
  );
}

/** What is committed when somebody who has less than that turns out to have even less: nothing else. */
function loweredBelow(
  index: LogIndex,
  voters: readonly NodeId[],
  known: ReadonlyMap<NodeId, LogIndex>,
): readonly { readonly way: string; readonly other: LogIndex }[] {
  return voters.flatMap((id) => {
    const own = known.get(id) ?? 0;
    if (own === 0 || own >= index) return [];
    return [own - 1, 0].map((lowered) => ({
      way: `overlaying ${id}->${lowered}`,
      other: majorityIndex(voters, { matchOf: (of) => (of === id ? lowered : (known.get(of) ?? 0)) }),
    }));
  });
}

function word(index: LogIndex): string {
  return index === Infinity ? '∞' : `${index}`;
}

function ascending(ids: readonly NodeId[]): readonly NodeId[] {
  return [...new Set(ids)].toSorted((a, b) => a - b);
}
