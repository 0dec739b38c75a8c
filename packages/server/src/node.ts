/**
 * One node: an engine behind a listener. A reader of this package starts here.
 * The node owns the engine it is given and closes it last; it owns no process, reads no flags and no files.
 */

import type { Clock } from '@kayadb/codec';
import type { Connection, Endpoint, Listener, Network } from '@kayadb/transport';

import { Identifier } from './access/authorize.ts';
import { FailedAttempts } from './access/failed-attempts.ts';
import { ConnectionSlots } from './admission/connection-slots.ts';
import { MemoryGate } from './admission/memory-gate.ts';
import { resolveLimits, type ServerLimits } from './limits.ts';
import type { Logger } from './logger.ts';
import { Operations } from './operations/operations.ts';
import type { NodeStats } from './operations/stats-json.ts';
import type { ConnectionContext } from './protocol/connection-context.ts';
import { ConnectionHandler } from './protocol/connection-handler.ts';
import { FailureLog } from './protocol/failure-log.ts';
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
  readonly #context: ConnectionContext;
  readonly #handlers = new Set<ConnectionHandler>();
  readonly #startedMs: number;
  #resolveFailed: (cause: Error) => void = () => {};
  #listener: Listener | undefined;
  #connectionCount = 0;
  #stopping: Promise<void> | undefined;

  constructor(options: NodeOptions) {
    const limits = resolveLimits(options.limits);
    const { engine, clock, logger } = options;
    this.#options = options;
    this.#startedMs = clock.now();
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve;
    });
    this.#context = {
      operations: new Operations({ engine, clock, limits, readNodeStats: () => this.#readStats() }),
      identifier: new Identifier(options),
      attempts: new FailedAttempts(limits.maxRememberedAddresses),
      slots: new ConnectionSlots(limits.maxConnections - limits.reservedConnections),
      memory: new MemoryGate({ softBytes: limits.softTotalBytes, hardBytes: limits.hardTotalBytes }),
      clock,
      limits,
      logger,
      failures: new FailureLog(logger, clock),
      fail: (cause) => this.fail(cause),
    };
  }

  get address(): Endpoint {
    return this.#listener?.address ?? this.#options.clientAddress;
  }

  async listen(): Promise<void> {
    const { maxConnections, maxConnectionsPerAddress, firstByteMs, idleMs, writeStallMs, maxInFlightBytes } =
      this.#context.limits;
    // Well below where a connection stops, or it would wait for a drain that has happened already.
    const resumeSendBytes = Math.floor(maxInFlightBytes / 16);
    this.#listener = await this.#options.network.listen({
      ...this.#options.clientAddress,
      limits: { maxConnections, maxConnectionsPerAddress, firstByteMs, idleMs, writeStallMs, resumeSendBytes },
      onConnection: (connection) => this.#handleConnection(connection),
    });
  }

  fail(cause: Error): void {
    this.#resolveFailed(cause);
  }

  stop({ deadlineMs = 10_000 }: StopOptions = {}): Promise<void> {
    this.#stopping ??= stopNode({
      listener: this.#listener,
      handlers: this.#handlers,
      engine: this.#options.engine,
      clock: this.#options.clock,
      logger: this.#options.logger,
      deadlineMs,
    });
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #handleConnection(connection: Connection): void {
    if (this.#stopping !== undefined) {
      connection.destroy();
      return;
    }
    const handler = new ConnectionHandler(this.#context, connection, ++this.#connectionCount);
    this.#handlers.add(handler);
    void handler.finished.then(() => this.#handlers.delete(handler));
  }

  #readStats(): NodeStats {
    const counts = this.#listener?.counts;
    return {
      nodeId: this.#options.nodeId,
      version: this.#options.version,
      isDraining: this.#stopping !== undefined,
      connectionsOpen: counts?.open ?? 0,
      connectionsAccepted: counts?.accepted ?? 0,
      connectionsRefused: (counts?.refusedTotal ?? 0) + (counts?.refusedPerAddress ?? 0),
      heldBytes: this.#context.memory.heldBytes,
      failedAttempts: this.#context.attempts.total,
      uptimeMs: this.#context.clock.now() - this.#startedMs,
    };
  }
}
