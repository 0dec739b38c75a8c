/**
 * Exactly once: keys under `list/` hold words with spaces between them, to which each write adds one at the end. Then every value that is read tells which
 * writes were done, how often, and in which order.
 */

import { describeRow, describeValue, nameOperation } from '../history/describe-operation.ts';
import { type History, isRead, isWrite, type ReadOperation, type WriteOperation } from '../history/operation.ts';
import type { Fault } from './fault.ts';

const LIST_PREFIX = 'list/';

export function isList(key: string): boolean {
  return key.startsWith(LIST_PREFIX);
}

/** The list with one word more. */
export function appendWord(list: string | undefined, word: string): string {
  return list === undefined ? word : `${list} ${word}`;
}

/** Attempts to add one word to one list: after one that was refused, the client may try again. */
interface Append {
  readonly word: string;
  readonly attempts: WriteOperation[];
}

interface SeenList {
  readonly operation: ReadOperation;
  readonly words: readonly string[];
}

/**
 * Whether each acknowledged append is once in each value that was read later, no append is there twice, and none that was refused is there at all.
 *
 * Requires: words are not used again, and values under `list/` are written in no other way.
 */
export function findAppendFault(history: History): Fault | undefined {
  const keys = new Set(history.operations.filter(isRead).flatMap(({ action }) => action.keys.filter(isList)));
  for (const key of keys) {
    const fault = findFaultOfList(key, appendsTo(key, history), listsSeen(key, history));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function findFaultOfList(
  key: string,
  appends: ReadonlyMap<string, Append>,
  lists: readonly SeenList[],
): Fault | undefined {
  for (const list of lists) {
    const fault = findWrongWord(key, list, appends) ?? findMissingWord(key, list, appends);
    if (fault !== undefined) return fault;
  }
  const byLength = lists.toSorted((a, b) => a.words.length - b.words.length);
  for (const [at, longer] of byLength.slice(1).entries()) {
    const shorter = byLength[at]!;
    if (shorter.words.every((word, place) => longer.words[place] === word)) continue;
    const names = `${nameOperation(shorter.operation)} and ${nameOperation(longer.operation)}`;
    const operations = [shorter.operation, longer.operation];
    return {
      kind: 'split-brain',
      sentence: `${names} saw values of ${key} neither of which goes on from the other`,
      operations,
    };
  }
  return undefined;
}

function findWrongWord(
  key: string,
  { operation, words }: SeenList,
  appends: ReadonlyMap<string, Append>,
): Fault | undefined {
  const saw = `${nameOperation(operation)} saw ${key} as ${describeRow({ value: words.join(' ') })}`;
  for (const [at, word] of words.entries()) {
    const append = appends.get(word);
    if (append === undefined) {
      return {
        kind: 'phantom',
        sentence: `${saw}, with ${describeValue(word)} that nobody added`,
        operations: [operation],
      };
    }
    const operations = [...append.attempts, operation];
    if (words.indexOf(word) !== at) {
      return { kind: 'applied-twice', sentence: `${saw}, with ${describeValue(word)} twice`, operations };
    }
    if (append.attempts.every(wasRefused)) {
      return { kind: 'refused-but-done', sentence: `${saw}, with ${describeValue(word)} that was refused`, operations };
    }
  }
  return undefined;
}

function findMissingWord(
  key: string,
  { operation, words }: SeenList,
  appends: ReadonlyMap<string, Append>,
): Fault | undefined {
  const present = new Set(words);
  for (const { word, attempts } of appends.values()) {
    const acknowledged = attempts.find(wasDone);
    if (acknowledged === undefined || present.has(word) || acknowledged.returnedUs! > operation.calledUs) continue;
    const sentence = `${nameOperation(operation)} saw ${key} without ${describeValue(word)}, though ${nameOperation(acknowledged)}, which added it, had been answered before`;
    return { kind: 'lost-write', sentence, operations: [acknowledged, operation] };
  }
  return undefined;
}

function appendsTo(key: string, history: History): ReadonlyMap<string, Append> {
  const appends = new Map<string, Append>();
  for (const operation of history.operations.filter(isWrite)) {
    for (const change of operation.action.changes) {
      if (change.key !== key || change.kind !== 'put') continue;
      const word = change.value.slice(change.value.lastIndexOf(' ') + 1);
      const append = appends.get(word) ?? { word, attempts: [] };
      appends.set(word, append);
      append.attempts.push(operation);
    }
  }
  return appends;
}

function listsSeen(key: string, history: History): readonly SeenList[] {
  return history.operations.filter(isRead).flatMap((operation) => {
    if (operation.outcome?.kind !== 'rows') return [];
    const row = operation.outcome.rows[operation.action.keys.indexOf(key)];
    if (row === undefined) return [];
    return [{ operation, words: row === null ? [] : row.value.split(' ') }];
  });
}

function wasDone({ outcome }: WriteOperation): boolean {
  return outcome?.kind === 'written' && outcome.failed === undefined;
}

function wasRefused({ outcome }: WriteOperation): boolean {
  return outcome?.kind === 'not-done' || (outcome?.kind === 'written' && outcome.failed !== undefined);
}
