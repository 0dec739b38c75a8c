/** How far a snapshot to one member has arrived, as the leader tells it, looked at again and again. */

import { type Client, connect } from '@kayadb/client';
import { realTime } from '@kayadb/testkit';

/** Between two looks. */
const PAUSE_MS = 20;

/** A snapshot that was on its way. */
export interface SnapshotLook {
  readonly atMs: number;
  /** Bytes. */
  readonly arrived: number;
  readonly total: number;
}

interface MemberRow {
  readonly node: number;
  readonly progress: null | {
    readonly lag: number;
    readonly snapshot: null | { readonly arrived_bytes: number; readonly total_bytes: number };
  };
}

export class SnapshotWatch implements AsyncDisposable {
  readonly #node: number;
  readonly #client: Client;
  readonly #looks: SnapshotLook[] = [];

  /** @param address - Of the leader. */
  constructor(address: string, node: number) {
    this.#client = connect(address);
    this.#node = node;
  }

  /** Looks until a snapshot is on its way and is so. */
  async until(isMeant: (look: SnapshotLook) => boolean): Promise<SnapshotLook> {
    for (;;) {
      const look = await this.#look();
      if (look !== undefined && isMeant(look)) return look;
      await pause();
    }
  }

  /** Looks on until that has happened. @returns The last snapshot that was on its way. */
  async ended(happening: Promise<unknown>): Promise<SnapshotLook> {
    const watched = happening.then(() => true);
    while ((await Promise.race([pause(), watched])) !== true) await this.#look();
    return this.#looks.at(-1)!;
  }

  /** Resolves when the member lacks no more than so many entries of the log, and no snapshot is on its way. */
  async caughtUp(lag: number): Promise<void> {
    for (;;) {
      const progress = (await this.#member())?.progress;
      if (progress?.snapshot === null && progress.lag <= lag) return;
      await pause();
    }
  }

  /** The least that had arrived in all looks from then on. */
  least(fromMs: number): number {
    return Math.min(...this.#looks.filter(({ atMs }) => atMs >= fromMs).map(({ arrived }) => arrived));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  async #look(): Promise<SnapshotLook | undefined> {
    const snapshot = (await this.#member())?.progress?.snapshot;
    if (snapshot === null || snapshot === undefined) return undefined;
    const look = { atMs: realTime.now(), arrived: snapshot.arrived_bytes, total: snapshot.total_bytes };
    this.#looks.push(look);
    return look;
  }

  async #member(): Promise<MemberRow | undefined> {
    const { members } = (await this.#client.members()) as unknown as { readonly members: readonly MemberRow[] };
    return members.find(({ node }) => node === this.#node);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => void realTime.setTimer(PAUSE_MS, resolve));
}
