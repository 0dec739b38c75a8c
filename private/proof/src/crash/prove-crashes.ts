/** The whole proof of a list of settings: crashes of one workload each, and in the long run of more of them until enough states are open. */

import type { Findings } from '../report.ts';
import type { CrashSetting } from './crash-setting.ts';
import type { CrashTally } from './crash-tally.ts';
import { type CrashRun, enumerateCrashes } from './enumerate-crashes.ts';

export interface CrashProof extends Omit<CrashRun, 'setting'> {
  readonly name: string;
  readonly settings: readonly CrashSetting[];
  /** Settings take turns, each time with another seed, until so many states have been opened; 0: each once. */
  readonly untilOpened: number;
}

const PROGRESS_MS = 60_000;

/** Ends early, with what was found, once there is a finding. */
export async function proveCrashes(proof: CrashProof, tally: CrashTally, findings: Findings): Promise<void> {
  let shownMs = performance.now();
  const onProgress = (): void => {
    if (performance.now() - shownMs < PROGRESS_MS) return;
    shownMs = performance.now();
    const wanted = proof.untilOpened === 0 ? '' : ` of ${proof.untilOpened.toLocaleString('en')}`;
    console.info(
      `${proof.name}: ${tally.opened.toLocaleString('en')}${wanted} states opened, ${findings.count} findings`,
    );
  };
  for (let round = 0; round === 0 || tally.opened < proof.untilOpened; round++) {
    for (const setting of proof.settings) {
      await enumerateCrashes({ ...proof, setting, seed: proof.seed + round }, tally, findings, onProgress);
      if (findings.count > 0) return;
    }
  }
}
