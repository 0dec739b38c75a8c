/** Power loss after every change to the disk of a recorded workload, in every way or in a few that rotate. */

import { breathe, describeSeed, type SeededRandom, seededRandom } from '@kayadb/testkit';
import { type CrashMode, crashModes } from '@kayadb/vfs/testing';

import type { Findings } from '../report.ts';
import { randomWorkload } from '../workload/workload.ts';
import { CrashCheck, type CrashSampling } from './crash-check.ts';
import type { CrashSetting } from './crash-setting.ts';
import type { CrashTally } from './crash-tally.ts';
import { type CrashPoint, RecordedWorkload } from './record-workload.ts';

export interface CrashRun {
  readonly setting: CrashSetting;
  readonly seed: number;
  readonly operations: number;
  /** Ways to crash that are tried at each point; on average, for it need not be whole. */
  readonly modesPerPoint: number | 'all';
  readonly sampling: CrashSampling;
}

/** Runs the workload and every crash of it, or those up to a first finding. What was done becomes a figure. */
export async function enumerateCrashes(
  run: CrashRun,
  tally: CrashTally,
  findings: Findings,
  onProgress: () => void = () => undefined,
): Promise<void> {
  const { setting, seed, operations, sampling } = run;
  const random = seededRandom(seed).fork(setting.name);
  const origin = `${setting.name}, ${operations} operations, ${describeSeed(seed)}`;
  const ops = randomWorkload(random.fork('workload'), operations);
  const workload = new RecordedWorkload(ops, setting, random.fork('run'), findings);
  const { history } = workload;
  const check = new CrashCheck({ history, setting, sampling, random: random.fork('check'), tally, findings, origin });
  const modes = random.fork('modes');
  for await (const points of workload.points()) {
    for (const point of points) {
      for (const mode of pickModes(point, run.modesPerPoint, modes)) {
        await check.check(point, mode);
        await breathe();
      }
    }
    onProgress();
    if (findings.count > 0) break;
  }
  tally.countMutations(workload.mutations);
  tally.operations += ops.length;
}

/** An answer changes nothing on the disk, but what is owed: it is looked at as it is for certain, and as it is when only the process dies. */
function pickModes(point: CrashPoint, count: number | 'all', random: SeededRandom): readonly CrashMode[] {
  if (point.kind === 'answer') return [{ kind: 'nothing-unsynced' }, { kind: 'everything' }];
  const modes = crashModes(point.disk, () => random.next());
  if (count === 'all') return modes;
  // Of each kind one, so that a kind with many is not all there is.
  const kinds = new Set(modes.map(({ kind }) => kind));
  const oneOfEach = [...kinds].map((kind) => random.pick(modes.filter((mode) => mode.kind === kind)));
  const taken = Math.floor(count) + (random.chance(count % 1) ? 1 : 0);
  return random.shuffle(oneOfEach).slice(0, taken);
}
