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

/** Share by which faults of single links differ from the profile: some are far worse. */
const LINK_FACTORS = [0, 1, 1, 3];

export class Network {
  readonly #world: NetworkWorld;
  readonly #cut = new Set<string>();
  readonly #factors = new Map<string, number>();

  constructor(world: NetworkWorld) {
    this.#world = world;
  }

  /** Nothing that is sent from now on by `from` reaches `to`. */
  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(nameOf(from, to));
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Calls `arrive` when the frame arrives, once for each copy. */
  send(from: NodeId, to: NodeId, arrive: () => void): void {
    const { profile, counts, random, mood } = this.#world;
    const link = nameOf(from, to);
    if (this.#cut.has(link)) return;
    const factor = mood.isCalm ? 0 : this.#factorOf(link);
    if (random.chance(profile.loss * factor)) {
      counts.lost++;
      return;
    }
    this.#carry(link, factor, arrive);
    if (!random.chance(profile.duplication * factor)) return;
    counts.duplicated++;
    this.#carry(link, factor, arrive);
  }

  #carry(link: string, factor: number, arrive: () => void): void {
    const { profile, timeline, random } = this.#world;
    const isLate = random.chance(profile.lateness * factor);
    const delayMs = drawFrom(profile.delay, random) + (isLate ? drawFrom(profile.late, random) : 0);
    timeline.after(delayMs, () => {
      if (!this.#cut.has(link)) arrive();
    });
  }

  #factorOf(link: string): number {
    const known = this.#factors.get(link);
    if (known !== undefined) return known;
    const factor = this.#world.random.pick(LINK_FACTORS);
    this.#factors.set(link, factor);
    return factor;
  }
}

function nameOf(from: NodeId, to: NodeId): string {
  return `${from}>${to}`;
}
