/**
 * The replica that the front doors are given before the node has one: as long as it waits for its group it refuses everything, and says what it waits for.
 */

import type { Freshness, Row2, Write, WriteAnswer } from '@kayadb/codec';

import type { ReplicaError } from '../replica/replica-error.ts';
import type { Replica, RowScan, RowScanOptions, SessionGrant } from '../replica/replica.ts';

export class LateReplica implements Replica {
  readonly nodeId: number;
  readonly #refusal: () => ReplicaError;
  #replica: Replica | undefined;

  /** @param refusal - What those are told that come too early, or too late. */
  constructor(nodeId: number, refusal: () => ReplicaError) {
    this.nodeId = nodeId;
    this.#refusal = refusal;
  }

  /** `undefined`: there is none any more. */
  set(replica: Replica | undefined): void {
    this.#replica = replica;
  }

  // The methods are async so that a refusal is a rejection, as of any replica.
  async write(write: Write, signal?: AbortSignal): Promise<WriteAnswer> {
    return this.#get().write(write, signal);
  }

  async openSession(expiryMs: number): Promise<SessionGrant> {
    return this.#get().openSession(expiryMs);
  }

  async touchSession(session: number): Promise<void> {
    return this.#get().touchSession(session);
  }

  async closeSession(session: number): Promise<void> {
    return this.#get().closeSession(session);
  }

  async read<T>(freshness: Freshness, task: () => Promise<T>): Promise<T> {
    return this.#get().read(freshness, task);
  }

  async get(key: Uint8Array): Promise<Row2 | undefined> {
    return this.#get().get(key);
  }

  async getMany(...args: Parameters<Replica['getMany']>): ReturnType<Replica['getMany']> {
    return this.#get().getMany(...args);
  }

  scan(options: RowScanOptions): RowScan {
    return this.#get().scan(options);
  }

  #get(): Replica {
    if (this.#replica === undefined) throw this.#refusal();
    return this.#replica;
  }
}
