/** A bound in time for work that cannot be stopped. */

import type { Clock, Timer } from '@kayadb/codec';

/** @returns false when the time is over first; what comes later is not waited for, and its failure not reported. */
export async function settlesWithin(work: Promise<unknown>, limitMs: number, clock: Clock): Promise<boolean> {
  let timer: Timer | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = clock.setTimer(Math.max(0, limitMs), () => resolve(false));
  });
  const settled = async (): Promise<boolean> => {
    await work;
    return true;
  };
  try {
    return await Promise.race([settled(), timeout]);
  } finally {
    timer?.cancel();
  }
}
