/** Runs a chapter once for each planned fault, and looks at what crashes leave of each run. */

import type { EngineOptions } from '@kayadb/engine';
import { breathe, seededRandom } from '@kayadb/testkit';
import { crashClone, type CrashMode, type MemoryFileSystem } from '@kayadb/vfs/testing';

import type { Figures, Findings } from '../report.ts';
import { checkSurvivors, type SurvivorsExpected } from './check-survivors.ts';
import { closedStore, copyOf, crashedStore } from './crashed-store.ts';
import { planFaults, type Thoroughness } from './fault-plan.ts';
import type { Chapter } from './fault-program.ts';
import { FaultRun, type FaultRunOptions } from './fault-run.ts';

export interface SweepOptions {
  readonly chapter: Chapter;
  readonly options: EngineOptions;
  readonly thoroughness: Thoroughness;
  readonly findings: Findings;
  readonly figures: SweepFigures;
  /** How often each run is also crashed at a random moment after its failure, in a random way. */
  readonly crashes: number;
}

/** What sweeps have done so far. */
export class SweepFigures {
  runs = 0;
  faultsHit = 0;
  crashesOpened = 0;
  poisonings = 0;
  leakedHandles = 0;
  /** Runs that nobody was told of, all of whose answers were right. */
  unnoticed = 0;
  readonly errors = new Map<string, number>();
  /** Kinds of calls that failed, with their errno. */
  readonly failed = new Set<string>();

  add(run: FaultRun): void {
    this.runs++;
    this.faultsHit += run.calls.failures.length;
    this.poisonings += run.poisonings;
    this.leakedHandles += run.leakedHandles;
    if (!run.isTold) this.unnoticed++;
    for (const [code, count] of run.errors) this.errors.set(code, (this.errors.get(code) ?? 0) + count);
    for (const { kind, errno } of run.calls.failures) this.failed.add(`${kind} ${errno}`);
  }
}

const MODES: readonly CrashMode[] = [
  { kind: 'nothing-unsynced' },
  { kind: 'everything' },
  { kind: 'random-sectors' },
  { kind: 'size-without-data' },
  { kind: 'names-lost' },
  { kind: 'anything' },
];

/** What stands in the place of a write that was undone must be on disk when its writer is told, or the write comes back. */
const LAST_WRITE_LOST: CrashMode = { kind: 'torn-last-write', bytes: 0 };

/** Ends a sweep: a bug is seen by many runs. */
export const ENOUGH_FINDINGS = 5;
/** Bound: changes of the disk between two crashes. */
const MAX_GAP = 30;

/** A disk that a crash has left, and what it has to hold. */
interface Crash extends SurvivorsExpected {
  readonly mode: CrashMode;
  readonly disk: MemoryFileSystem;
}

export async function sweep(sweepOptions: SweepOptions): Promise<void> {
  const { chapter, options, thoroughness, findings, figures } = sweepOptions;
  const base = await (chapter.begins === 'crashed' ? crashedStore(options) : closedStore(options));
  const start = (): Omit<FaultRunOptions, 'faults'> => ({ ...copyOf(base), program: chapter.program, options });
  const clean = new FaultRun({ ...start(), faults: [] });
  await clean.run();
  for (const finding of clean.findings) findings.add(`${chapter.name}, nothing fails: ${finding}`);
  if (findings.count > 0) return;

  for (const [index, { name, faults, arrivesWhole }] of planFaults(clean.calls.kinds, thoroughness).entries()) {
    const crashes: Crash[] = [];
    const random = seededRandom(index);
    const run = new FaultRun({
      ...start(),
      faults,
      onFailure: (failed) => {
        if (arrivesWhole === true) crashes.push(crashOf(failed, LAST_WRITE_LOST, random));
        crashAfter(failed, crashes, random, sweepOptions.crashes);
      },
    });
    await run.run();
    figures.add(run);
    for (const finding of run.findings) findings.add(`${chapter.name}, ${name}: ${finding}`);
    // With power loss and without, in turn: each is as good as opening once more.
    crashes.push(crashOf(run, MODES[index % 2]!, random));
    for (const crash of crashes) {
      figures.crashesOpened++;
      for (const wrong of await checkSurvivors(crash.disk, crash)) {
        findings.add(`${chapter.name}, ${name}, then a crash (${crash.mode.kind}): ${wrong}`);
      }
    }
    if (findings.count >= ENOUGH_FINDINGS) return;
    await breathe();
  }
}

type Random = ReturnType<typeof seededRandom>;

/** The disk as a crash at this moment leaves it. */
function crashOf(run: FaultRun, mode: CrashMode, random: Random): Crash {
  return {
    mode,
    disk: crashClone(run.disk, mode, () => random.next()),
    model: run.model.fork(),
    isLossy: mode.kind !== 'everything',
    copies: new Map(run.copies),
    begunCopies: new Map(run.begunCopies),
    options: run.options.options,
  };
}

/** Crashes at the failure and at random moments after it, `count` in all. Each is added when it happens. */
function crashAfter(run: FaultRun, crashes: Crash[], random: Random, count: number): void {
  if (count === 0) return;
  const enough = crashes.length + count;
  crashes.push(crashOf(run, random.pick(MODES), random));
  let countdown = random.int(MAX_GAP);
  const stop = run.disk.afterEachMutation(() => {
    if (countdown-- > 0) return;
    if (crashes.length === enough) return stop();
    crashes.push(crashOf(run, random.pick(MODES), random));
    countdown = random.int(MAX_GAP);
  });
}

/** For `publishFigures`. */
export function describeFigures(figures: SweepFigures, findings: Findings): Figures {
  const { runs, faultsHit, crashesOpened, poisonings, leakedHandles, unnoticed, errors } = figures;
  return {
    runs,
    'faults hit': faultsHit,
    'crash states opened': crashesOpened,
    poisonings,
    'runs without an error': unnoticed,
    ...Object.fromEntries([...errors.keys()].toSorted().map((code) => [`errors ${code}`, errors.get(code)!])),
    'handles leaked': leakedHandles,
    findings: findings.count,
  };
}
