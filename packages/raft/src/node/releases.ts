/**
 * What is done with the responses of durable appends: those to peers are sent, those to the node itself are stepped.
 *
 * Invariant: the node itself hears in the order of the works, and of a work with a snapshot, and of all behind it, only when the state machine has the snapshot.
 * Peers hear at once: what is promised to them is durable.
 */

import type { Message, StorageAppend } from '../core/message.ts';
import type { NodeId, Snapshot } from '../core/types.ts';
import { Fifo } from './fifo.ts';

export interface ReleasesHost {
  /** A message to another node. */
  send(message: Message): void;
  /** A message to this node. */
  deliver(message: Message): void;
  /** Puts `snapshot` into the state machine, then calls `done`. */
  restore(snapshot: Snapshot, done: () => void): void;
}

interface Held {
  readonly messages: readonly Message[];
  isRestored: boolean;
}

export class Releases {
  readonly #id: NodeId;
  readonly #host: ReleasesHost;
  readonly #held = new Fifo<Held>();

  constructor(id: NodeId, host: ReleasesHost) {
    this.#id = id;
    this.#host = host;
  }

  /** Requires: `work` is durable, and all before it were released. */
  release({ responses, snapshot }: StorageAppend): void {
    for (const response of responses) if (response.to !== this.#id) this.#host.send(response);
    const held: Held = {
      messages: responses.filter(({ to }) => to === this.#id),
      isRestored: snapshot === undefined,
    };
    this.#held.push(held);
    if (snapshot === undefined) {
      this.#deliver();
      return;
    }
    this.#host.restore(snapshot, () => {
      held.isRestored = true;
      this.#deliver();
    });
  }

  #deliver(): void {
    for (let oldest = this.#held.peek(); oldest?.isRestored === true; oldest = this.#held.peek()) {
      this.#held.take();
      for (const message of oldest.messages) this.#host.deliver(message);
    }
  }
}
