/**
 * What a node that runs alone can do, without frames: any front door calls these. Each leaf asks `authorize` itself, checks its
 * arguments and hands on to the engine in the same turn, so that calls reach the engine in the order they were made.
 */

import type { Clock } from '@kayadb/codec';
import type { KeyValue } from '@kayadb/engine';

import { authorize, type Identity } from '../access/authorize.ts';
import { Semaphore } from '../admission/semaphore.ts';
import type { ServerLimits } from '../limits.ts';
import type { ServedEngine } from '../served-engine.ts';
import { ServerError } from '../server-error.ts';
import { checkKey, checkPrefix, checkValue } from './check-arguments.ts';
import { collectScan } from './collect-scan.ts';
import { buildStatsJson, type NodeStats } from './stats-json.ts';
import type { V1Operations } from './v1-operations.ts';

export interface OperationsOptions {
  readonly engine: ServedEngine;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly readNodeStats: () => NodeStats;
}

/**
 * Every method rejects with AccessDeniedError, with ServerError KAYA_INVALID_ARGUMENT for arguments that can never
 * succeed, or with what the engine failed with.
 */
export class Operations implements V1Operations {
  readonly #engine: ServedEngine;
  readonly #clock: Clock;
  readonly #limits: ServerLimits;
  readonly #gets: Semaphore;
  readonly #scans: Semaphore;
  readonly #readNodeStats: () => NodeStats;

  constructor({ engine, clock, limits, readNodeStats }: OperationsOptions) {
    this.#engine = engine;
    this.#clock = clock;
    this.#limits = limits;
    this.#gets = new Semaphore(limits.maxConcurrentGets);
    this.#scans = new Semaphore(limits.maxConcurrentScans);
    this.#readNodeStats = readNodeStats;
  }

  /** Durability: as the engine's mode says, once it resolves. Copies its arguments before it returns. */
  async put(identity: Identity, key: Uint8Array, value: Uint8Array): Promise<void> {
    authorize(identity, 'put');
    checkKey(key);
    checkValue(value);
    await this.#engine.put(key, value);
  }

  async get(identity: Identity, key: Uint8Array): Promise<Uint8Array | undefined> {
    authorize(identity, 'get');
    checkKey(key);
    return this.#gets.run(() => this.#engine.get(key));
  }

  /** Deleting an absent key succeeds. Durability: as `put`. */
  async delete(identity: Identity, key: Uint8Array): Promise<void> {
    authorize(identity, 'delete');
    checkKey(key);
    await this.#engine.delete(key);
  }

  /** All rows under `prefix`, of one state. @throws ServerError KAYA_SCAN_TOO_LARGE */
  async scan(identity: Identity, prefix: Uint8Array, signal: AbortSignal): Promise<readonly KeyValue[]> {
    authorize(identity, 'scan');
    checkPrefix(prefix);
    const bounds = { maxItems: this.#limits.maxScanItems, maxFrameBytes: this.#limits.maxFrameBytes };
    return this.#scans.run(() => collectScan(this.#engine.scan({ prefix, signal }), bounds, this.#clock));
  }

  /** A node that runs alone leads itself. */
  health(identity: Identity): 'leader' | 'follower' {
    authorize(identity, 'health');
    return 'leader';
  }

  /** A JSON document. */
  stats(identity: Identity): string {
    authorize(identity, 'stats');
    return buildStatsJson(this.#engine.stats(), this.#readNodeStats());
  }

  /** @throws ServerError KAYA_MEMBERSHIP_UNAVAILABLE, always: there is no cluster to join. */
  async addMember(identity: Identity): Promise<never> {
    authorize(identity, 'add-member');
    throw membershipUnavailable();
  }

  /** @throws ServerError KAYA_MEMBERSHIP_UNAVAILABLE, always: there is no cluster to leave. */
  async removeMember(identity: Identity): Promise<never> {
    authorize(identity, 'remove-member');
    throw membershipUnavailable();
  }

  /** @throws ServerError KAYA_MEMBERSHIP_UNAVAILABLE, always: there are no learners. */
  async promoteLearner(identity: Identity): Promise<never> {
    authorize(identity, 'promote-member');
    throw membershipUnavailable();
  }

  /** @throws ServerError KAYA_MEMBERSHIP_UNAVAILABLE, always: there is nobody else to lead. */
  async transferLeader(identity: Identity): Promise<never> {
    authorize(identity, 'transfer-leader');
    throw membershipUnavailable();
  }
}

function membershipUnavailable(): ServerError {
  return new ServerError(
    'KAYA_MEMBERSHIP_UNAVAILABLE',
    'this build runs a single node, so there is no membership to change; nothing was done',
  );
}
