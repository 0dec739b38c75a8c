/**
 * Looks for an order of all operations that a store could have done one after the other: the search of Wing and Gong (1993) with the memory of visited states of Lowe
 * (2016), in which known revisions leave a write one place among the others.
 *
 * What changes nothing (a read, a compare that failed) is taken as soon as it fits, which never spoils an order. So only writes of unknown revision are a choice: the
 * one that was done first, as far as is known, is tried first, and those that need not have happened last.
 *
 * Invariant: between two turns of the loop the cells are what the steps of the trail leave, in its order.
 */

import type { Operation } from '../history/operation.ts';
import { relevantWrites } from './relevant-writes.ts';
import { type Cell, ABSENT, type Effect, type SearchProblem, type Step } from './search-steps.ts';

export type SearchResult =
  | { readonly kind: 'ordered' }
  /** `blocked` had to come next where the search came farthest, and could not. */
  | { readonly kind: 'no-order'; readonly blocked: Operation }
  | { readonly kind: 'gave-up' };

interface Frame {
  readonly mark: number;
  readonly choices: readonly number[];
  next: number;
}

const NO_EFFECT: readonly Effect[] = [];

/** @param maxStates - Bound: how many states are visited before the search gives up. */
export function findOrder(problem: SearchProblem, maxStates: number): SearchResult {
  return new Search(problem).run(maxStates);
}

class Search {
  readonly #steps: readonly Step[];
  readonly #isDone: Uint8Array;
  readonly #cells: Cell[];
  /** Steps in the order that is being tried, and what each of them replaced. */
  readonly #trail: { readonly step: number; readonly replaced: readonly Effect[] }[] = [];
  /** Required steps by call, and by return; and where each step stands there. */
  readonly #required: readonly number[];
  readonly #byReturn: readonly number[];
  readonly #placeByCall: Int32Array;
  readonly #placeByReturn: Int32Array;
  readonly #known: readonly number[];
  readonly #optional: readonly (readonly number[])[];
  /** Before these, all of their list are done. */
  #firstByCall = 0;
  #firstByReturn = 0;
  #nextKnown = 0;
  #missing: number;
  #fewestMissing: number;
  #blocked: number;

  constructor({ steps, keyCount }: SearchProblem) {
    this.#steps = steps;
    this.#isDone = new Uint8Array(steps.length);
    this.#cells = Array.from({ length: keyCount }, () => ABSENT);
    const all = [...steps.keys()];
    this.#required = all.filter((at) => steps[at]!.isRequired);
    this.#byReturn = this.#required.toSorted((a, b) => steps[a]!.returnedUs - steps[b]!.returnedUs || a - b);
    this.#known = all
      .filter((at) => steps[at]!.revision !== undefined)
      .toSorted((a, b) => steps[a]!.revision! - steps[b]!.revision!);
    this.#optional = groupBySignature(steps, all);
    this.#placeByCall = placesIn(this.#required, steps.length);
    this.#placeByReturn = placesIn(this.#byReturn, steps.length);
    this.#missing = this.#required.length;
    this.#fewestMissing = this.#missing;
    this.#blocked = this.#byReturn[0] ?? -1;
  }

  run(maxStates: number): SearchResult {
    const visited = new Set<string>();
    const frames: Frame[] = [];
    for (let states = 0; ; states++) {
      this.#takeWhatChangesNothing();
      if (this.#missing === 0) return { kind: 'ordered' };
      if (states === maxStates) return { kind: 'gave-up' };
      const choices = this.#choices();
      if (!this.#wasVisited(visited, choices)) frames.push({ mark: this.#trail.length, choices, next: 0 });
      let frame = frames.at(-1);
      while (frame !== undefined && frame.next === frame.choices.length) {
        frames.pop();
        frame = frames.at(-1);
      }
      if (frame === undefined) return { kind: 'no-order', blocked: this.#steps[this.#blocked]!.operation };
      this.#undoTo(frame.mark);
      const choice = frame.choices[frame.next++]!;
      this.#take(choice, this.#effectOf(choice)!);
    }
  }

  /** States with one way on are not remembered: the next one with several is. */
  #wasVisited(visited: Set<string>, choices: readonly number[]): boolean {
    if (choices.length < 2) return false;
    const state = this.#describeState();
    if (visited.has(state)) return true;
    visited.add(state);
    return false;
  }

  /** Nothing that was called later than this can come now. */
  #deadline(): number {
    while (this.#firstByReturn < this.#byReturn.length && this.#isDone[this.#byReturn[this.#firstByReturn]!] === 1) {
      this.#firstByReturn++;
    }
    const first = this.#byReturn[this.#firstByReturn];
    return first === undefined ? Number.POSITIVE_INFINITY : this.#steps[first]!.returnedUs;
  }

  /** Required steps that are not done and may come now, but for their demands. */
  #window(): number[] {
    const deadline = this.#deadline();
    while (this.#isDone[this.#required[this.#firstByCall]!] === 1) this.#firstByCall++;
    const window: number[] = [];
    for (let at = this.#firstByCall; at < this.#required.length; at++) {
      const step = this.#required[at]!;
      if (this.#steps[step]!.calledUs >= deadline) break;
      if (this.#isDone[step] === 0 && this.#isInTurn(step)) window.push(step);
    }
    return window;
  }

  /** Writes of known revision come in its order. */
  #isInTurn(step: number): boolean {
    return this.#steps[step]!.revision === undefined || this.#known[this.#nextKnown] === step;
  }

  #takeWhatChangesNothing(): void {
    for (let hasTaken = true; hasTaken;) {
      hasTaken = false;
      for (const step of this.#window()) {
        const effect = this.#isInTurn(step) ? this.#effectOf(step) : undefined;
        if (effect?.length !== 0) continue;
        this.#take(step, effect);
        hasTaken = true;
      }
    }
    if (this.#missing >= this.#fewestMissing) return;
    this.#fewestMissing = this.#missing;
    this.#deadline();
    this.#blocked = this.#byReturn[this.#firstByReturn] ?? -1;
  }

  #choices(): readonly number[] {
    const window = this.#window();
    const required = window
      .filter((step) => this.#effectOf(step) !== undefined)
      .toSorted((a, b) => this.#placeByReturn[a]! - this.#placeByReturn[b]!);
    const possible = this.#possibleWrites();
    if (possible.length === 0) return required;
    const stepsOf = (steps: readonly number[]): readonly Step[] => steps.map((step) => this.#steps[step]!);
    const blocked = window.filter((step) => !required.includes(step));
    const relevant = new Set(relevantWrites(stepsOf(blocked), stepsOf(required), stepsOf(possible), this.#cells));
    const changesCells = (step: number): boolean =>
      this.#effectOf(step)?.some(({ key, cell }) => this.#cells[key] !== cell) === true;
    return [...required, ...possible.filter((step) => relevant.has(this.#steps[step]!) && changesCells(step))];
  }

  /** Writes that need not have come, but may come now: of those that do the same, the first. */
  #possibleWrites(): readonly number[] {
    const deadline = this.#deadline();
    return this.#optional.flatMap((group) => {
      const next = group.find((step) => this.#isDone[step] === 0);
      return next === undefined || this.#steps[next]!.calledUs >= deadline ? [] : [next];
    });
  }

  /** What the step does to the cells as they are; undefined when it could not be answered as it was. */
  #effectOf(at: number): readonly Effect[] | undefined {
    const { demands, isRead, failed, branch, changes, otherwise } = this.#steps[at]!;
    const broken = demands.findIndex(({ key, holds }) => !holds(this.#cells[key]!));
    if (isRead) return broken === -1 ? NO_EFFECT : undefined;
    if (failed !== undefined && failed !== broken) return undefined;
    if (branch === 'otherwise' && broken === -1) return undefined;
    return broken === -1 ? changes : otherwise;
  }

  #take(step: number, effect: readonly Effect[]): void {
    const replaced = effect.map(({ key }) => ({ key, cell: this.#cells[key]! }));
    for (const { key, cell } of effect) this.#cells[key] = cell;
    this.#trail.push({ step, replaced });
    this.#isDone[step] = 1;
    if (this.#steps[step]!.isRequired) this.#missing--;
    if (this.#steps[step]!.revision !== undefined) this.#nextKnown++;
  }

  #undoTo(mark: number): void {
    while (this.#trail.length > mark) {
      const { step, replaced } = this.#trail.pop()!;
      for (const { key, cell } of replaced) this.#cells[key] = cell;
      this.#isDone[step] = 0;
      if (this.#steps[step]!.revision !== undefined) this.#nextKnown--;
      if (!this.#steps[step]!.isRequired) continue;
      this.#missing++;
      this.#firstByCall = Math.min(this.#firstByCall, this.#placeByCall[step]!);
      this.#firstByReturn = Math.min(this.#firstByReturn, this.#placeByReturn[step]!);
    }
  }

  /** Which steps are done, and the cells: two ways to the same state go on alike. */
  #describeState(): string {
    const deadline = this.#deadline();
    this.#window();
    const done: number[] = [];
    for (let at = this.#firstByCall; at < this.#required.length; at++) {
      const step = this.#required[at]!;
      if (this.#steps[step]!.calledUs >= deadline) break;
      if (this.#isDone[step] === 1) done.push(step);
    }
    const optional = this.#optional.map((group) => group.filter((step) => this.#isDone[step] === 1).length);
    return [this.#firstByCall, done.join(), optional.join(), this.#cells.join()].join(' ');
  }
}

function placesIn(list: readonly number[], count: number): Int32Array {
  const places = new Int32Array(count);
  for (const [place, step] of list.entries()) places[step] = place;
  return places;
}

/** Of writes that do the same and need not have come, the one that was called first is as good as any: each list is in that order. */
function groupBySignature(steps: readonly Step[], all: readonly number[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const at of all) {
    if (steps[at]!.isRequired) continue;
    const group = groups.get(steps[at]!.signature) ?? [];
    group.push(at);
    groups.set(steps[at]!.signature, group);
  }
  return [...groups.values()];
}
