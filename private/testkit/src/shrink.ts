/**
 * Makes a failing run small: drops pieces of an operation list for as long as the rest still fails, then reports the
 * shortest list found. The removal order is that of delta debugging: halves first, single operations last.
 */

/** Bound: how often a failing run is tried again while it is made smaller. */
const DEFAULT_MAX_RUNS = 500;

export interface ShrinkResult<Op> {
  readonly ops: readonly Op[];
  /** What the shortest list failed with. */
  readonly failure: unknown;
  /** How many runs it took. */
  readonly runs: number;
}

/**
 * The shortest failing part of `ops` found within `maxRuns` runs; `undefined` when `ops` does not fail at all.
 *
 * Requires: `run` starts from the same state each time, and rejects when the list shows the fault.
 */
export async function shrinkOps<Op>(
  ops: readonly Op[],
  run: (ops: readonly Op[]) => Promise<void>,
  maxRuns: number = DEFAULT_MAX_RUNS,
): Promise<ShrinkResult<Op> | undefined> {
  let smallest = ops;
  let failure = await failureOf(run, ops);
  if (failure === undefined) return undefined;
  let runs = 1;
  let chunk = Math.ceil(ops.length / 2);
  while (chunk >= 1 && runs < maxRuns) {
    let dropped = false;
    for (let start = 0; start < smallest.length && runs < maxRuns;) {
      const candidate = [...smallest.slice(0, start), ...smallest.slice(start + chunk)];
      runs++;
      const candidateFailure = await failureOf(run, candidate);
      if (candidateFailure === undefined) {
        start += chunk;
      } else {
        smallest = candidate;
        failure = candidateFailure;
        dropped = true;
      }
    }
    if (chunk === 1 && !dropped) break;
    chunk = chunk === 1 ? 1 : Math.ceil(chunk / 2);
  }
  return { ops: smallest, failure: failure.reason, runs };
}

/** Wrapped, so that a run which rejects with `undefined` still counts as failing. */
async function failureOf<Op>(
  run: (ops: readonly Op[]) => Promise<void>,
  ops: readonly Op[],
): Promise<{ readonly reason: unknown } | undefined> {
  try {
    await run(ops);
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

export interface CheckOpsOptions<Op> {
  readonly ops: readonly Op[];
  readonly run: (ops: readonly Op[]) => Promise<void>;
  /** One line per operation. */
  readonly print: (op: Op) => string;
  /** Named in the error, so that the whole run can be made again. */
  readonly seed: number;
  readonly maxRuns?: number;
}

/**
 * Runs an operation list; if it fails, shrinks it.
 *
 * @throws Error whose message holds the seed and the shortest failing list, one operation per line, and whose `cause`
 * is what that list failed with.
 */
export async function checkOps<Op>(options: CheckOpsOptions<Op>): Promise<void> {
  const { ops, run, print, seed } = options;
  const smallest = await shrinkOps(ops, run, options.maxRuns);
  if (smallest === undefined) return;
  const reason = smallest.failure instanceof Error ? smallest.failure.message : String(smallest.failure);
  const lines = smallest.ops.map((op) => `  ${print(op)}`);
  throw new Error(
    [`seed ${seed}: ${smallest.ops.length} of ${ops.length} operations still fail:`, ...lines, reason].join('\n'),
    { cause: smallest.failure },
  );
}
