/**
 * The order in which workers take the test files of a run: the dearest first, and those that mostly wait, for processes, disks and timers, beside those that compute.
 *
 * Invariant: every file is there once. Nothing but the time that a run takes depends on the order.
 */

/** What is known of a test file before it runs. */
export interface PlannedFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly project: string;
}

/** The project whose files wait for processes: where all workers had one of them, cores would be idle, and where few have, each finds the machine less busy. */
const WAITING_PROJECT = '@kayadb/e2e';
/** Seconds of a file of which nothing is known. */
const SHORT = 1;

/**
 * Orders files for `workers` that each take the next one when they are through.
 *
 * @param costs - Seconds, by path.
 */
export function orderFiles<File extends PlannedFile>(
  files: readonly File[],
  costs: Readonly<Record<string, number>>,
  workers: number,
): File[] {
  const costOf = ({ path }: PlannedFile): number => costs[path] ?? SHORT;
  // Short files of one project stay together, so that a worker may keep what it has loaded for them.
  const sorted = files.toSorted(
    (a, b) => costOf(b) - costOf(a) || compare(a.project, b.project) || compare(a.path, b.path),
  );
  const waiting = sorted.filter(({ project }) => project === WAITING_PROJECT);
  const computing = sorted.filter(({ project }) => project !== WAITING_PROJECT);
  const order: File[] = [];
  const mostWaiting = Math.max(1, Math.floor(workers / 2));
  const lanes = Array.from({ length: Math.max(1, workers) }, () => ({ freeAt: 0, isWaiting: false }));
  while (order.length < files.length) {
    const lane = lanes.reduce((first, each) => (each.freeAt < first.freeAt ? each : first));
    lane.isWaiting = false;
    const mayWait = lanes.filter(({ isWaiting }) => isWaiting).length < mostWaiting;
    const next = (mayWait ? waiting.shift() : undefined) ?? computing.shift() ?? waiting.shift();
    if (next === undefined) break;
    lane.isWaiting = next.project === WAITING_PROJECT;
    lane.freeAt += costOf(next);
    order.push(next);
  }
  return order;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
