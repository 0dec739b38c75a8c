/** What is to go wrong in a run, and when: drawn from a seed, as data, before the run begins. */

import type { SeededRandom } from '../seeded-random.ts';

export const FAULT_NAMES = [
  'kill',
  'kill-all',
  'pause',
  'isolate',
  'one-way-out',
  'one-way-in',
  'partial',
  'delay',
  'throttle',
  'cut',
  'slow-disk',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

/** Which node: the one that leads when it comes to it, or the nth. */
export type FaultTarget = { readonly kind: 'leader' } | { readonly kind: 'node'; readonly place: number };

export interface PlannedFault {
  readonly name: FaultName;
  readonly target: FaultTarget;
  /** Since the end of the fault before. */
  readonly afterMs: number;
  readonly forMs: number;
  /** The links of `partial`, as places of nodes. */
  readonly links: readonly (readonly [from: number, to: number])[];
  /** Of `delay`, in milliseconds. */
  readonly delayMs: number;
  /** Whether connections of the links break off when it ends, as after a long partition. */
  readonly isCutAtEnd: boolean;
}

export interface FaultPlanOptions {
  readonly nodeCount: number;
  /** How long the plan goes on; the last fault ends by then. */
  readonly durationMs: number;
  /** Each comes once before one comes again. Default: all. */
  readonly names?: readonly FaultName[] | undefined;
  /** Between faults; default 500 to 2,000. */
  readonly restMs?: MsRange | undefined;
  /** How long each lasts; default 500 to 4,000, which is some elections. */
  readonly lastsMs?: MsRange | undefined;
}

export interface MsRange {
  readonly from: number;
  readonly to: number;
}

/** How often the leader is meant: most of what can go wrong goes wrong there. */
const LEADER_SHARE = 0.5;

/** One fault after the other, each over before the next begins. */
export function planFaults(random: SeededRandom, options: FaultPlanOptions): readonly PlannedFault[] {
  const { nodeCount, durationMs, names = FAULT_NAMES } = options;
  const { restMs = { from: 500, to: 2000 }, lastsMs = { from: 500, to: 4000 } } = options;
  const plan: PlannedFault[] = [];
  let deck: FaultName[] = [];
  for (let atMs = 0; ;) {
    const afterMs = drawFrom(restMs, random);
    const forMs = drawFrom(lastsMs, random);
    atMs += afterMs + forMs;
    if (atMs > durationMs) return plan;
    if (deck.length === 0) deck = random.shuffle(names);
    plan.push({
      name: deck.pop()!,
      target: random.chance(LEADER_SHARE) ? { kind: 'leader' } : { kind: 'node', place: random.int(nodeCount) },
      afterMs,
      forMs,
      links: linksOf(nodeCount).filter(() => random.chance(0.4)),
      delayMs: random.pick([5, 50, 300]),
      isCutAtEnd: random.chance(0.4),
    });
  }
}

/** Every directed link between that many nodes. */
export function linksOf(nodeCount: number): readonly (readonly [from: number, to: number])[] {
  const places = Array.from({ length: nodeCount }, (_, place) => place);
  return places.flatMap((from) => places.filter((to) => to !== from).map((to) => [from, to] as const));
}

export function describeFault({ name, forMs, delayMs }: PlannedFault, place: number): string {
  return `${name} at node ${place + 1} for ${forMs} ms${name === 'delay' ? `, ${delayMs} ms` : ''}`;
}

function drawFrom({ from, to }: MsRange, random: SeededRandom): number {
  return from + random.int(to - from + 1);
}
