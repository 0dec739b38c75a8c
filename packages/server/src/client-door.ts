/**
 * Where clients come in: a listener, and a handler for each connection. It knows the operations that they ask for and nothing of what is behind these.
 */

import type { Clock } from '@kayadb/codec';
import type { Connection, Endpoint, Listener, ListenerCounts, ListenTls, Network } from '@kayadb/transport';

import { Identifier } from './access/authorize.ts';
import { FailedAttempts } from './access/failed-attempts.ts';
import { MemoryGate } from './admission/memory-gate.ts';
import { Slots } from './admission/slots.ts';
import { drainedBytes, type ServerLimits } from './limits.ts';
import type { Logger } from './logger.ts';
import type { NodeOperations } from './operations-2/node-operations.ts';
import type { V1Operations } from './operations/v1-operations.ts';
import type { ConnectionContext } from './protocol/connection-context.ts';
import { ConnectionHandler } from './protocol/connection-handler.ts';
import { FailureLog } from './protocol/failure-log.ts';
import { settlesWithin } from './settles-within.ts';

export interface ClientDoorOptions {
  /** Of version 1. */
  readonly operations: V1Operations;
  /** Of version 2. */
  readonly operations2: NodeOperations;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Port 0 lets the operating system choose. */
  readonly address: Endpoint;
  readonly tls?: ListenTls | undefined;
  /** Needed for data and reports, if set. */
  readonly clientToken?: string | undefined;
  /** Needed for membership, if set. */
  readonly operatorToken?: string | undefined;
  readonly limits: ServerLimits;
  /** The node can not go on. May be called more than once. */
  readonly onFailed: (cause: Error) => void;
}

const NO_COUNTS: ListenerCounts = {
  open: 0,
  accepted: 0,
  refusedTotal: 0,
  refusedPerAddress: 0,
  handshaking: 0,
  failedHandshakes: 0,
};

export class ClientDoor {
  readonly #options: ClientDoorOptions;
  readonly #context: ConnectionContext;
  readonly #handlers = new Set<ConnectionHandler>();
  #listener: Listener | undefined;
  #connectionCount = 0;
  #stopping: Promise<void> | undefined;

  /** @throws RangeError for an empty token. */
  constructor(options: ClientDoorOptions) {
    const { limits, clock, logger } = options;
    this.#options = options;
    this.#context = {
      operations: options.operations,
      operations2: options.operations2,
      identifier: new Identifier(options),
      attempts: new FailedAttempts(limits.maxRememberedAddresses),
      slots: new Slots(limits.maxConnections - limits.reservedConnections),
      scanSlots: new Slots(limits.maxScans),
      memory: new MemoryGate({ softBytes: limits.softTotalBytes, hardBytes: limits.hardTotalBytes }),
      clock,
      limits,
      logger,
      failures: new FailureLog(logger, clock),
      fail: options.onFailed,
    };
  }

  /** Where clients reach it: with the real port, once it listens. */
  get address(): Endpoint {
    return this.#listener?.address ?? this.#options.address;
  }

  get counts(): ListenerCounts {
    return this.#listener?.counts ?? NO_COUNTS;
  }

  /** For unfinished frames, requests in flight and answers that were not taken. */
  get heldBytes(): number {
    return this.#context.memory.heldBytes;
  }

  get failedAttempts(): number {
    return this.#context.attempts.total;
  }

  get openScans(): number {
    return this.#context.scanSlots.taken;
  }

  /** @throws TransportError KAYA_LISTEN_FAILED */
  async listen(): Promise<void> {
    const { limits, network, address, tls } = this.#options;
    const { maxConnections, maxConnectionsPerAddress, firstByteMs, idleMs, writeStallMs } = limits;
    const resumeSendBytes = drainedBytes(limits);
    this.#listener = await network.listen({
      ...address,
      ...(tls === undefined ? {} : { tls }),
      limits: { maxConnections, maxConnectionsPerAddress, firstByteMs, idleMs, writeStallMs, resumeSendBytes },
      onConnection: (connection) => this.#handleConnection(connection),
    });
  }

  /** Accepts nothing more, answers what was begun, and after `limitMs` cuts off who has not taken their answers. Idempotent. */
  stop(limitMs: number): Promise<void> {
    this.#stopping ??= this.#stop(limitMs);
    return this.#stopping;
  }

  async #stop(limitMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    await this.#listener?.close();
    const open = [...this.#handlers];
    for (const handler of open) handler.stop();
    const finished = Promise.all(open.map((handler) => handler.finished));
    if (await settlesWithin(finished, limitMs, clock)) return;
    logger.warn(
      { event: 'node.cut', connections: this.#handlers.size },
      'cutting off clients that did not take their answers',
    );
    for (const handler of open) handler.destroy();
    await finished;
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
}
