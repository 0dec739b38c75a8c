/**
 * Frames on their way: lost, doubled, late, overtaken, or cut off in one direction or both, each link by itself.
 *
 * Invariant: a frame arrives as the bytes that were sent, or not at all; TCP and the frame's checksum see to that in earnest.
 */

import type { NodeId } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import type { Counts } from './counts.ts';
import { drawFrom, type Profile } from './profile.ts';
import type { Timeline } from './timeline.ts';

export interface NetworkWorld {
  /** A calm network loses nothing by itself; cuts stay. */
  readonly mood: { readonly isCalm: boolean };
  readonly timeline: Timeline;
  readonly profile: Profile;
  readonly counts: Counts;
  readonly random: SeededRandom;
}

/** What becomes of a frame. */
export interface FrameFate {
  /** Called when it arrives, once for each copy. */
  arrive(): void;
  /** Called when the sender's host notices that it will not, in the event in which it was sent. */
  fail(): void;
}

/** More than a run ever has. */
const MAX_NODES = 2 ** 16;
/** By how much the time to somebody grows who moves away, for each unit of time, and where that ends. */
const DISTANCE_RATE = 0.7;
const MAX_DISTANCE_MS = 4000;
/** Share by which faults of single links differ from the profile: some are far worse. */
const LINK_FACTORS = [0, 1, 1, 3];

export class Network {
  readonly #world: NetworkWorld;
  readonly #cut = new Set<number>();
  readonly #factors = new Map<number, number>();
  /** Nodes that move away, since when. */
  readonly #movingSinceMs = new Map<NodeId, number>();

  constructor(world: NetworkWorld) {
    this.#world = world;
  }

  /** Nothing that is sent from now on by `from` reaches `to`, nor what is on its way. */
  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(linkOf(from, to));
  }

  /** What is sent to `to` from now on takes longer and longer, so that there is never a gap in what arrives. */
  moveAway(to: NodeId): void {
    this.#movingSinceMs.set(to, this.#world.timeline.nowMs);
  }

  heal(): void {
    this.#cut.clear();
    this.#movingSinceMs.clear();
  }

  send(from: NodeId, to: NodeId, fate: FrameFate): void {
    const { profile, counts, random, mood } = this.#world;
    const link = linkOf(from, to);
    if (this.#cut.has(link)) {
      if (random.chance(profile.unreachableReports)) fate.fail();
      return;
    }
    const factor = mood.isCalm ? 0 : this.#factorOf(link);
    if (random.chance(profile.loss * factor)) {
      counts.lost++;
      if (random.chance(profile.unreachableReports)) fate.fail();
      return;
    }
    this.#carry(link, to, factor, fate);
    if (!random.chance(profile.duplication * factor)) return;
    counts.duplicated++;
    this.#carry(link, to, factor, fate);
  }

  #carry(link: number, to: NodeId, factor: number, fate: FrameFate): void {
    const { profile, timeline, random } = this.#world;
    const isLate = random.chance(profile.lateness * factor);
    const lateMs = isLate ? drawFrom(profile.late, random) : 0;
    const delayMs = drawFrom(profile.delay, random) + lateMs + this.#distanceMs(to);
    timeline.after(delayMs, () => {
      if (!this.#cut.has(link)) fate.arrive();
    });
  }

  #distanceMs(to: NodeId): number {
    const sinceMs = this.#movingSinceMs.get(to);
    if (sinceMs === undefined) return 0;
    return Math.min((this.#world.timeline.nowMs - sinceMs) * DISTANCE_RATE, MAX_DISTANCE_MS);
  }

  #factorOf(link: number): number {
    const known = this.#factors.get(link);
    if (known !== undefined) return known;
    const factor = this.#world.random.pick(LINK_FACTORS);
    this.#factors.set(link, factor);
    return factor;
  }
}

function linkOf(from: NodeId, to: NodeId): number {
  return from * MAX_NODES + to;
}
