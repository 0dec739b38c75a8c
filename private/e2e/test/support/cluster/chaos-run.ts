/** A workload at a cluster while faults come, its history kept in the cluster's folder, and the judgement. */

import {
  assertLinearizable,
  createHistoryFile,
  type FaultName,
  type FaultPlanOptions,
  type History,
  HistoryRecorder,
  planFaults,
  playFaults,
  readEverything,
  realTime,
  runWorkload,
  type SeededRandom,
  type StoreClient,
  type WorkloadCounts,
  type WorkloadOptions,
} from '@kayadb/testkit';

import type { ClusterProcesses } from './cluster-processes.ts';

export interface ChaosRunOptions {
  readonly cluster: ClusterProcesses;
  readonly clients: readonly StoreClient[];
  readonly random: SeededRandom;
  readonly operations: number;
  /** Of the file with the history. Default: history. */
  readonly name?: string;
  readonly faults: Omit<FaultPlanOptions, 'nodeCount'>;
  readonly workload?: Partial<WorkloadOptions>;
  /** What else happens, until the signal is aborted. */
  readonly meanwhile?: (signal: AbortSignal) => Promise<void>;
}

export interface ChaosRunResult extends WorkloadCounts {
  readonly history: History;
  /** Those that came, in their order. */
  readonly faults: readonly FaultName[];
}

/**
 * Runs until the operations are through; faults come meanwhile, as long as their plan goes on. Then heals, reads every key, and checks.
 *
 * @throws Error when the history is not linearizable, with the explanation, or when a node ended by itself.
 */
export async function runChaos(options: ChaosRunOptions): Promise<ChaosRunResult> {
  const { cluster, clients, random, operations, name = 'history' } = options;
  using file = createHistoryFile(cluster.folder.at(`${name}.jsonl`));
  const recorder = new HistoryRecorder({ now: () => realTime.now(), onEvent: (event) => file.append(event) });
  const isOver = new AbortController();
  const workload: WorkloadOptions = { clients, recorder, random, operations, pause, ...options.workload };
  const plan = planFaults(random.fork('faults'), { ...options.faults, nodeCount: cluster.nodeCount });
  const playing = playFaults(plan, { cluster, pause, note: (text) => recorder.note(text), signal: isOver.signal });
  // A play that fails ends the workload, and the other way round; neither is left alone.
  const working = runWorkload({ ...workload, signal: isOver.signal }).finally(() => isOver.abort());
  playing.catch(() => isOver.abort());
  const beside = options.meanwhile?.(isOver.signal);
  await Promise.allSettled([working, playing, beside]);
  await beside;
  const faults = plan.slice(0, await playing).map(({ name: kind }) => kind);
  const counts = await working;
  await cluster.ready();
  await readEverything({ ...workload, retryMs: 100 });
  const history = recorder.history();
  assertLinearizable(history);
  if (cluster.deaths.length > 0) throw new Error(`nodes ended by themselves: ${cluster.deaths.join('\n')}`);
  return { ...counts, history, faults };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void realTime.setTimer(ms, resolve));
}
