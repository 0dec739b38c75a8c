/**
 * A settled history made small for the search: keys and contents are numbers, and unanswered writes that nothing can tell apart, or that nothing can
 * have felt, are not tried one by one.
 */

import { keysOf, type Condition, effectOf, type Operation } from '../history/operation.ts';
import type { Branch, SettledHistory, SettledWrite } from './settled-history.ts';

/** What is under a key: a number of `CellTable`; 0 is absent. */
export type Cell = number;

export const ABSENT: Cell = 0;

/** What a step asks of a key: the cell itself, or any of several. */
export type Demand = { readonly key: number; readonly holds: (cell: Cell) => boolean };

export interface Step {
  readonly operation: Operation;
  readonly calledUs: number;
  /** Infinity: it may come at any time after its call. */
  readonly returnedUs: number;
  /** Whether it has to be in the order. */
  readonly isRequired: boolean;
  readonly revision: number | undefined;
  /** All have to hold for a read; for a write the conditions, of which the answer tells. */
  readonly demands: readonly Demand[];
  readonly isRead: boolean;
  /** A write's first demand that does not hold, -1 for none; undefined: any. */
  readonly failed: number | undefined;
  readonly branch: Branch | undefined;
  readonly changes: readonly Effect[];
  readonly otherwise: readonly Effect[];
  /** Of writes that need not be in the order: equal for those which do the same. */
  readonly signature: string;
}

export interface Effect {
  readonly key: number;
  readonly cell: Cell;
}

export interface SearchProblem {
  readonly steps: readonly Step[];
  readonly keyCount: number;
}

/** Stands for all values that no answer speaks of. */
const UNSEEN = '\0unseen';

/** Every value and revision that a key can have, numbered in the order in which they come up. */
class CellTable {
  readonly #cells: { readonly value: string | null; readonly revision: number | undefined }[] = [
    { value: null, revision: 0 },
  ];
  readonly #numbers = new Map<string, Cell>();

  numberOf(value: string | null, revision: number | undefined): Cell {
    if (value === null) return ABSENT;
    const name = `${revision ?? ''} ${value}`;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#cells.length);
    return this.#cells.push({ value, revision }) - 1;
  }

  at(cell: Cell): { readonly value: string | null; readonly revision: number | undefined } {
    return this.#cells[cell]!;
  }
}

export function searchProblem({ writes, reads }: SettledHistory): SearchProblem {
  const cells = new CellTable();
  const keys = new Map<string, number>();
  const keyNumber = (key: string): number => {
    const known = keys.get(key) ?? keys.size;
    keys.set(key, known);
    return known;
  };
  const feelers = whatIsFelt({ writes, reads });
  const readSteps = reads.map(({ operation, returnedUs, rows }): Step => {
    const demands = rows.map(({ key, row }): Demand => {
      const holds = (cell: Cell): boolean => {
        if (row === null || cell === ABSENT) return row === null && cell === ABSENT;
        const { value, revision } = cells.at(cell);
        return value === row.value && (row.revision === undefined || row.revision === revision);
      };
      return { key: keyNumber(key), holds };
    });
    const { calledUs } = operation;
    return { ...NO_WRITE, operation, calledUs, returnedUs, isRequired: true, isRead: true, demands };
  });
  const writeSteps = writes.flatMap((write): Step[] => {
    const { operation, returnedUs, revision, branch } = write;
    const { action, outcome, calledUs } = operation;
    const isRequired = branch !== undefined;
    if (!isRequired && !feelers.canFeel(write)) return [];
    const effectsOf = (which: Branch): readonly Effect[] =>
      [...effectOf(action[which])].map(([key, value]) => {
        const isSeen = isRequired || value === null || feelers.isSeen(key, value);
        return { key: keyNumber(key), cell: cells.numberOf(isSeen ? value : UNSEEN, revision) };
      });
    const changes = effectsOf('changes');
    const otherwise = effectsOf('otherwise');
    const demands = action.conditions.map((condition) => ({
      key: keyNumber(condition.key),
      holds: (cell: Cell) => isHeldBy(condition, cells.at(cell)),
    }));
    const failed = outcome?.kind === 'written' ? (outcome.failed ?? -1) : branch === 'changes' ? -1 : undefined;
    const signature = JSON.stringify([action.conditions, changes, otherwise]);
    const step = { operation, calledUs, returnedUs, isRequired, revision, demands, failed, branch };
    return [{ ...step, isRead: false, changes, otherwise, signature }];
  });
  return { steps: [...readSteps, ...writeSteps].toSorted((a, b) => a.calledUs - b.calledUs), keyCount: keys.size };
}

/** What a read is not. */
const NO_WRITE = {
  revision: undefined,
  failed: undefined,
  branch: undefined,
  changes: [],
  otherwise: [],
  signature: '',
} as const;

function isHeldBy(condition: Condition, { value, revision }: ReturnType<CellTable['at']>): boolean {
  switch (condition.kind) {
    case 'exists':
      return (value !== null) === condition.exists;
    case 'value':
      return value === condition.value;
    case 'revision':
      // A revision that nobody was told of is none that a client can have asked about.
      return revision === condition.revision;
  }
}

interface Feelers {
  isSeen(key: string, value: string): boolean;
  /** Whether some answer can depend on the write having been done. */
  canFeel(write: SettledWrite): boolean;
}

function whatIsFelt({ writes, reads }: SettledHistory): Feelers {
  const seen = new Set<string>();
  const absent = new Set<string>();
  for (const { rows } of reads) {
    for (const { key, row } of rows) {
      if (row === null) absent.add(key);
      else seen.add(`${key}\0${row.value}`);
    }
  }
  const conditions = writes.flatMap(({ operation }) => operation.action.conditions);
  const compared = new Set(conditions.map(({ key }) => key));
  for (const condition of conditions) if (condition.kind === 'value') seen.add(`${condition.key}\0${condition.value}`);
  const isSeen = (key: string, value: string): boolean => seen.has(`${key}\0${value}`);
  return {
    isSeen,
    canFeel: ({ operation: { action } }) =>
      [...effectOf(action.changes), ...effectOf(action.otherwise)].some(
        ([key, value]) => compared.has(key) || (value === null ? absent.has(key) : isSeen(key, value)),
      ),
  };
}

/** Steps in groups that share no key, which can be ordered each for itself. */
export function splitByKeys(history: SettledHistory): readonly SettledHistory[] {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let up = parents.get(root); up !== undefined; up = parents.get(root)) root = up;
    return root;
  };
  const groupOf = ({ action }: Operation): string => rootOf(keysOf(action)[0] ?? '');
  for (const { operation } of [...history.writes, ...history.reads]) {
    const [first = '', ...rest] = keysOf(operation.action).map(rootOf);
    for (const root of rest) if (rootOf(root) !== rootOf(first)) parents.set(rootOf(root), rootOf(first));
  }
  const groups = new Map<string, { writes: SettledWrite[]; reads: SettledHistory['reads'][number][] }>();
  const at = (operation: Operation): { writes: SettledWrite[]; reads: SettledHistory['reads'][number][] } => {
    const name = groupOf(operation);
    const group = groups.get(name) ?? { writes: [], reads: [] };
    groups.set(name, group);
    return group;
  };
  for (const write of history.writes) at(write.operation).writes.push(write);
  for (const read of history.reads) at(read.operation).reads.push(read);
  return [...groups.values()];
}
