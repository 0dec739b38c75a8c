/** Fails every sync of a chapter in turn, in all the ways in which a kernel may treat the pages, and compares what it does with the list of call sites. */

import type { EngineOptions } from '@kayadb/engine';
import { breathe } from '@kayadb/testkit';
import { crashClone, type Fault, type FaultEffect } from '@kayadb/vfs/testing';

import type { Findings } from '../report.ts';
import { checkSurvivors } from './check-survivors.ts';
import { closedStore, copyOf, crashedStore } from './crashed-store.ts';
import { spread } from './fault-plan.ts';
import type { Chapter } from './fault-program.ts';
import { FaultRun } from './fault-run.ts';
import { ENOUGH_FINDINGS, type SweepFigures } from './fault-sweep.ts';
import { SYNC_SITES } from './sync-sites.ts';

export interface SyncSweepOptions {
  readonly chapter: Chapter;
  readonly options: EngineOptions;
  readonly findings: Findings;
  readonly figures: SweepFigures;
  /** Filled with every call site that failed. */
  readonly sites: Set<string>;
  readonly effects: readonly FaultEffect[];
  /** Those that also go on for ever. */
  readonly lasting: readonly FaultEffect[];
  /** Leaves out syncs from call sites that have failed in a sweep before. */
  readonly onlyNewSites?: boolean;
  /** Writes whose failure the next sync of the file reports. */
  readonly lateWrites: number;
}

interface SyncFault {
  readonly name: string;
  /** The call that fails, if it is a sync; counted from 1. */
  readonly at: number | undefined;
  readonly fault: Fault;
  /** Whether the disk says that it synced, and did not: nothing on one machine helps against that, so only process death is tried. */
  readonly isLie: boolean;
}

/** The kernel keeps the pages and calls them clean: everything looks well, and a power loss takes them. */
export const WORST: FaultEffect = { kind: 'failed-sync', pages: 'clean', errno: 'EIO' };
export const EFFECTS: readonly FaultEffect[] = [
  WORST,
  { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' },
  { kind: 'failed-sync', pages: 'clean', errno: 'ENOSPC' },
  { kind: 'fail', errno: 'EDQUOT' },
  { kind: 'late-error', errno: 'EIO' },
];

export async function sweepSyncs(sweep: SyncSweepOptions): Promise<void> {
  const { chapter, options, findings, figures, sites } = sweep;
  const base = await (chapter.begins === 'crashed' ? crashedStore(options) : closedStore(options));
  const start = { program: chapter.program, options, retries: true };
  const clean = new FaultRun({ ...copyOf(base), ...start, faults: [], tracesSyncs: true });
  await clean.run();
  for (const finding of clean.findings) findings.add(`${chapter.name}, nothing fails: ${finding}`);
  if (findings.count > 0) return;

  for (const { name, at, fault, isLie } of planSyncFaults(clean, sweep)) {
    if (sweep.onlyNewSites === true && isKnown(clean, at, sites)) continue;
    const run = new FaultRun({ ...copyOf(base), ...start, faults: [fault] });
    await run.run();
    figures.add(run);
    const wrong = [...run.findings, ...(isLie ? [] : compareWithList(run, clean, sites))];
    const { model, copies, begunCopies } = run;
    for (const kind of isLie ? (['everything'] as const) : (['nothing-unsynced', 'everything'] as const)) {
      const disk = crashClone(run.disk, { kind }, () => 0);
      const isLossy = kind === 'nothing-unsynced' || run.dropsPages;
      figures.crashesOpened++;
      wrong.push(...(await checkSurvivors(disk, { model: model.fork(), isLossy, copies, begunCopies, options })));
    }
    for (const sentence of wrong) findings.add(`${chapter.name}, ${name}: ${sentence}`);
    if (findings.count >= ENOUGH_FINDINGS) return;
    await breathe();
  }
}

function planSyncFaults({ calls }: FaultRun, { effects, lasting, lateWrites }: SyncSweepOptions): readonly SyncFault[] {
  const planned: SyncFault[] = [];
  const callsOf = (sought: string): readonly number[] =>
    calls.kinds.flatMap((kind, index) => (kind === sought ? [index + 1] : []));
  for (const effect of effects) {
    for (const [index, at] of callsOf('sync').entries()) {
      for (const forever of lasting.includes(effect) ? [false, true] : [false]) {
        const name = `sync ${index + 1} ${describe(effect)}${forever ? ', and all later ones' : ''}`;
        const fault: Fault = { at: index + 1, kinds: ['sync'], forever, effect };
        planned.push({ name, at, fault, isLie: effect.kind === 'late-error' });
      }
    }
  }
  for (const [index, at] of callsOf('syncDirectory').entries()) {
    for (const forever of [false, true]) {
      const name = `syncDirectory ${index + 1}${forever ? ' and all later ones' : ''}`;
      const effect: FaultEffect = { kind: 'fail', errno: 'EIO' };
      planned.push({ name, at, fault: { at: index + 1, kinds: ['syncDirectory'], forever, effect }, isLie: false });
    }
  }
  for (const write of spread(range(callsOf('write').length), lateWrites)) {
    const fault: Fault = { at: write, kinds: ['write'], effect: { kind: 'late-error', errno: 'EIO' } };
    planned.push({ name: `write ${write}, told by the next sync`, at: undefined, fault, isLie: false });
  }
  return planned;
}

function isKnown({ calls }: FaultRun, at: number | undefined, sites: ReadonlySet<string>): boolean {
  const site = at === undefined ? undefined : calls.syncSites.get(at);
  return site !== undefined && sites.has(site);
}

/**
 * @param clean - The run in which nothing failed: until the first failure both make the same calls.
 * @returns Where the first failed sync did something else than its call site's entry says.
 */
function compareWithList(
  { calls, poisonings, warnings, errors }: FaultRun,
  clean: FaultRun,
  sites: Set<string>,
): readonly string[] {
  const site = clean.calls.syncSites.get(calls.failures[0]?.at ?? 0);
  if (site === undefined) return [];
  sites.add(site);
  const expected = SYNC_SITES[site];
  if (expected === undefined) return [`${site} is not in the list of call sites`];
  // Later failures may have come to the store's own files.
  const isAlone = calls.failures.length === 1;
  if (expected === 'warns') {
    return warnings > 0 && (poisonings === 0 || !isAlone) ? [] : [`${site} does not warn, and nothing else`];
  }
  if (errors.size === 0) return [`${site} fails, and no caller is told`];
  const outcome = poisonings > 0 ? 'poisons' : 'fails';
  if (outcome === 'poisons' && !isAlone) return [];
  return outcome === expected ? [] : [`${site}: ${outcome}, and the list says ${expected}`];
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function describe(effect: FaultEffect): string {
  if (effect.kind === 'late-error') return 'lies, and the next one says so';
  return `fails with ${effect.errno}${effect.kind === 'failed-sync' ? `, pages ${effect.pages}` : ''}`;
}
