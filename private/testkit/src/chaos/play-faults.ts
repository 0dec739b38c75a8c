/** Carries out a plan of faults at a cluster, one after the other, and heals everything at the end, whatever happened. */

import { describeFault, linksOf, type PlannedFault } from './fault-plan.ts';
import type { LinkRules } from './link-pipe.ts';

/** A cluster that can be broken. Nodes go by their place, from 0. */
export interface BreakableCluster {
  readonly nodeCount: number;
  /** Undefined when nobody leads, or nobody says so in time. */
  findLeader(): Promise<number | undefined>;
  /** As `kill -9`. Killing one that is down does nothing. */
  kill(place: number): Promise<void>;
  /** Starts it again with its data; it need not serve yet. Starting one that runs does nothing. */
  start(place: number): Promise<void>;
  /** Resolves when all that run serve. @throws Error when that takes too long. */
  ready(): Promise<void>;
  /** SIGSTOP. */
  pause(place: number): void;
  /** SIGCONT. Resuming one that runs does nothing. */
  resume(place: number): void;
  /** What goes from one node to another. */
  shapeLink(from: number, to: number, rules: Partial<LinkRules>): void;
  /** Breaks off the connections of that link. */
  cutLink(from: number, to: number): void;
  /** Takes back every rule of every link. */
  healLinks(): void;
  /** Until the next call with false, the disk has much else to do. */
  loadDisk(isLoaded: boolean): Promise<void>;
}

export interface PlayOptions {
  readonly cluster: BreakableCluster;
  readonly pause: (ms: number) => Promise<void>;
  /** Told of each beginning and end. */
  readonly note: (text: string) => void;
  /** Ends the play early, at the end of a fault. */
  readonly signal?: AbortSignal | undefined;
}

const THROTTLED_BYTES_PER_SECOND = 32 * 1024;

/** A fault begins when all nodes serve again after the one before. @returns How many were carried out. */
export async function playFaults(plan: readonly PlannedFault[], options: PlayOptions): Promise<number> {
  const { cluster, pause, note, signal } = options;
  let count = 0;
  try {
    for (const fault of plan) {
      await pause(fault.afterMs);
      if (signal?.aborted === true) break;
      const place = await placeOf(fault, cluster);
      note(describeFault(fault, place));
      await begin(fault, place, cluster);
      await pause(fault.forMs);
      await heal(cluster);
      await cluster.ready();
      if (fault.isCutAtEnd) for (const [from, to] of linksOf(cluster.nodeCount)) cluster.cutLink(from, to);
      note(`${fault.name} is over`);
      count++;
    }
  } finally {
    await heal(cluster);
  }
  return count;
}

async function placeOf({ target }: PlannedFault, cluster: BreakableCluster): Promise<number> {
  return target.kind === 'node' ? target.place : ((await cluster.findLeader()) ?? 0);
}

async function begin(fault: PlannedFault, place: number, cluster: BreakableCluster): Promise<void> {
  const all = linksOf(cluster.nodeCount);
  const out = all.filter(([from]) => from === place);
  const into = all.filter(([, to]) => to === place);
  const shape = (links: typeof all, rules: Partial<LinkRules>): void => {
    for (const [from, to] of links) cluster.shapeLink(from, to, rules);
  };
  switch (fault.name) {
    case 'kill':
      return await cluster.kill(place);
    case 'kill-all':
      await Promise.all(placesOf(cluster).map((each) => cluster.kill(each)));
      return;
    case 'pause':
      return cluster.pause(place);
    case 'isolate':
      return shape([...out, ...into], { isBlocked: true });
    case 'one-way-out':
      return shape(out, { isBlocked: true });
    case 'one-way-in':
      return shape(into, { isBlocked: true });
    case 'partial':
      return shape(fault.links, { isBlocked: true });
    case 'delay':
      return shape([...out, ...into], { delayMs: fault.delayMs });
    case 'throttle':
      return shape([...out, ...into], { bytesPerSecond: THROTTLED_BYTES_PER_SECOND });
    case 'cut':
      for (const [from, to] of [...out, ...into]) cluster.cutLink(from, to);
      return;
    case 'slow-disk':
      await cluster.loadDisk(true);
  }
}

async function heal(cluster: BreakableCluster): Promise<void> {
  cluster.healLinks();
  for (const place of placesOf(cluster)) cluster.resume(place);
  await cluster.loadDisk(false);
  await Promise.all(placesOf(cluster).map((place) => cluster.start(place)));
}

function placesOf({ nodeCount }: BreakableCluster): readonly number[] {
  return Array.from({ length: nodeCount }, (_, place) => place);
}
