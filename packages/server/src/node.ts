/**
 * One node: an engine behind a listener. A reader of this package starts here.
 * The node owns the engine it is given and closes it last; it owns no process, reads no flags and no files.
 */

import type { Clock } from '@kayadb/codec';
import type { Endpoint, Network } from '@kayadb/transport';

import { ClientDoor } from './client-door.ts';
import { resolveLimits, type ServerLimits } from './limits.ts';
import type { Logger } from './logger.ts';
import { Operations } from './operations/operations.ts';
import type { NodeStats } from './operations/stats-json.ts';
import type { ServedEngine } from './served-engine.ts';
import { stopNode } from './stop-node.ts';

export interface NodeOptions {
  /** The node closes it in `stop`, or when it cannot start. */
  readonly engine: ServedEngine;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeId: number;
  /** Shown in STATS. */
  readonly version: string;
  /** Port 0 lets the operating system choose. Whether it may be bound is the caller's question: `checkBind`. */
  readonly clientAddress: Endpoint;
  /** Needed for data and stats, if set. */
  readonly clientToken?: string | undefined;
  /** Needed for membership, if set. */
  readonly operatorToken?: string | undefined;
  readonly limits?: Partial<ServerLimits> | undefined;
}

export interface StopOptions {
  /** Bound: how long stopping may take in all. Default 10,000. */
  readonly deadlineMs?: number;
}

export interface RunningNode extends AsyncDisposable {
  /** Where clients reach it, with the real port. */
  readonly address: Endpoint;
  /** Resolves when the node cannot go on, with the reason: a poisoned engine or a broken invariant. Never rejects. */
  readonly failed: Promise<Error>;
  /** Resolves `failed`: for what the owner learns of the engine elsewhere, as from its `poisoned` event. */
  fail(cause: Error): void;
  /**
   * Accepts nothing more, answers what was begun, flushes and closes the engine. Idempotent.
   *
   * @throws ServerError KAYA_STOP_TIMEOUT when the engine was not closed in time; what the engine's close fails with.
   */
  stop(options?: StopOptions): Promise<void>;
}

/** @throws TransportError KAYA_LISTEN_FAILED; RangeError for a bad limit or an empty token. The engine is closed then. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  try {
    const node = new Node(options);
    await node.listen();
    return node;
  } catch (error) {
    await options.engine.close();
    throw error;
  }
}

class Node implements RunningNode {
  readonly failed: Promise<Error>;
  readonly #options: NodeOptions;
  readonly #door: ClientDoor;
  readonly #startedMs: number;
  #resolveFailed: (cause: Error) => void = () => {};
  #stopping: Promise<void> | undefined;

  constructor(options: NodeOptions) {
    const limits = resolveLimits(options.limits);
    const { engine, network, clock, logger, clientAddress, clientToken, operatorToken } = options;
    this.#options = options;
    this.#startedMs = clock.now();
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve;
    });
    this.#door = new ClientDoor({
      operations: new Operations({ engine, clock, limits, readNodeStats: () => this.#readStats() }),
      network,
      clock,
      logger,
      address: clientAddress,
      clientToken,
      operatorToken,
      limits,
      onFailed: (cause) => this.fail(cause),
    });
  }

  get address(): Endpoint {
    return this.#door.address;
  }

  listen(): Promise<void> {
    return this.#door.listen();
  }

  fail(cause: Error): void {
    this.#resolveFailed(cause);
  }

  stop({ deadlineMs = 10_000 }: StopOptions = {}): Promise<void> {
    const { engine, clock } = this.#options;
    this.#stopping ??= stopNode({ door: this.#door, engine, clock, deadlineMs });
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #readStats(): NodeStats {
    const { open, accepted, refusedTotal, refusedPerAddress } = this.#door.counts;
    return {
      nodeId: this.#options.nodeId,
      version: this.#options.version,
      isDraining: this.#door.isStopping,
      connectionsOpen: open,
      connectionsAccepted: accepted,
      connectionsRefused: refusedTotal + refusedPerAddress,
      heldBytes: this.#door.heldBytes,
      failedAttempts: this.#door.failedAttempts,
      uptimeMs: this.#options.clock.now() - this.#startedMs,
    };
  }
}
