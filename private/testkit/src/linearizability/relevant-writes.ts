/**
 * Which of the writes that need not have happened are worth a try in a state of the search.
 *
 * In any order such a write can be moved back to just in front of the first step that looks at one of its keys; if its key is written before that, it can be left out, unless it
 * writes several keys of which only some are written again. So it is a choice only in front of a step that cannot come otherwise, or that writes over a part of it.
 */

import type { Cell, Effect, Step } from './search-steps.ts';

/** @param blocked - Required steps that may come now, and cannot. @param ready - Required steps that can. @param optional - Writes to choose from. */
export function relevantWrites(
  blocked: readonly Step[],
  ready: readonly Step[],
  optional: readonly Step[],
  cells: readonly Cell[],
): readonly Step[] {
  const isRelevant = optional.map(
    (write) =>
      blocked.some((step) => changesDemand(write, step, cells)) ||
      [...blocked, ...ready].some((step) => writesPartOf(write, step)),
  );
  // What a write in question depends on is in question, too.
  for (let hasGrown = isRelevant.includes(true); hasGrown;) {
    hasGrown = false;
    const chosen = optional.filter((_, at) => isRelevant[at]);
    for (const [at, write] of optional.entries()) {
      if (isRelevant[at] === true) continue;
      if (!chosen.some((step) => changesDemand(write, step, cells) || writesPartOf(write, step))) continue;
      isRelevant[at] = true;
      hasGrown = true;
    }
  }
  return optional.filter((_, at) => isRelevant[at]);
}

/** Whether a demand of the step holds behind the write, and does not as things are, or the other way round. */
function changesDemand(write: Step, { demands }: Step, cells: readonly Cell[]): boolean {
  return demands.some(({ key, holds }) => {
    const holdsNow = holds(cells[key]!);
    return effectsOf(write).some((effect) => effect.key === key && holds(effect.cell) !== holdsNow);
  });
}

/** Whether the step writes some of the write's keys, and leaves others. */
function writesPartOf(write: Step, step: Step): boolean {
  const keys = new Set(effectsOf(write).map(({ key }) => key));
  if (keys.size < 2) return false;
  return [step.changes, step.otherwise].some((effects) => {
    const count = effects.filter(({ key }) => keys.has(key)).length;
    return count > 0 && count < keys.size;
  });
}

function effectsOf({ changes, otherwise }: Step): readonly Effect[] {
  return otherwise.length === 0 ? changes : [...changes, ...otherwise];
}
