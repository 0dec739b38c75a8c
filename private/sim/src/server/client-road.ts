/** The way of a request from a client to the process on a machine, and of what it comes to back again. Either may be lost, and a process may die in between. */

import type { Group } from '@kayadb/server/testing';
import type { SeededRandom } from '@kayadb/testkit';

import { drawFrom } from '../world/profile.ts';
import type { ServerSite } from './server-site.ts';
import type { ServerWorld } from './server-world.ts';

/** Nobody has answered: the request may have been done, or may yet be. */
export class LostError extends Error {
  override readonly name = 'LostError';
}

/** Client and node are close to each other. */
const CLIENT_DELAY = { from: 0.2, to: 5 };

export class ClientRoad {
  readonly #world: ServerWorld;
  readonly #random: SeededRandom;

  constructor(world: ServerWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** @throws What `run` rejects with; LostError after `timeoutMs`. */
  call<T>(site: ServerSite, timeoutMs: number, run: (group: Group) => Promise<T>): Promise<T> {
    const { timeline } = this.#world;
    return new Promise((resolve, reject) => {
      const timer = timeline.after(timeoutMs, () => reject(new LostError(`node ${site.id} did not answer`)));
      const answer = (settle: () => void): void => {
        this.#carry(() => {
          timer.cancel();
          settle();
        });
      };
      this.#carry(() => {
        site.enter(({ group }) => {
          run(group).then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          );
        });
      });
    });
  }

  /** Resolves later. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.timeline.after(ms, resolve);
    });
  }

  #carry(arrive: () => void): void {
    const { profile, timeline } = this.#world;
    if (this.#random.chance(profile.clientLoss)) return;
    timeline.after(drawFrom(CLIENT_DELAY, this.#random), arrive);
  }
}
