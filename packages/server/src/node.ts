/**
 * One node: its directory, its place in a group, and the clients' door. A reader of this package starts here.
 * The node owns no process, reads no flags, and no files but those of its directory.
 */

import type { Endpoint, ListenTls } from '@kayadb/transport';

import { ClientDoor } from './client-door.ts';
import { NodeDirectory } from './directory/node-directory.ts';
import { checkStart } from './forensics/check-start.ts';
import { resolveTiming } from './group-timing.ts';
import { Group } from './group/group.ts';
import { resolveLimits, type ServerLimits } from './limits.ts';
import { LiveNodeView } from './live-node-view.ts';
import type { GroupTiming, NodeOptions, NodeRandom, StopOptions } from './node-options.ts';
import type { NodeView, StorageView } from './node-view.ts';
import { NodeOperations } from './operations-2/node-operations.ts';
import type { NodeReports } from './operations-2/node-reports.ts';
import { ReplicaV1Operations } from './operations-2/replica-v1-operations.ts';
import { NodeReporter } from './reports/node-reporter.ts';
import { ServerError } from './server-error.ts';
import { settlesWithin } from './settles-within.ts';
import { NodeWatch } from './watchdog/node-watch.ts';
import { watchSyncs } from './watchdog/sync-watch.ts';

export interface RunningNode extends AsyncDisposable {
  /** Where clients reach it, with the real port. */
  readonly address: Endpoint;
  /** Where other nodes reach it, with the real port. */
  readonly peerAddress: Endpoint;
  /** Resolves when it is a member of a group and knows a leader; perhaps never. Never rejects. */
  readonly ready: Promise<void>;
  /** Resolves when the node cannot go on, with the reason: its disk, a broken invariant, or a group that does not want it. Never rejects. */
  readonly failed: Promise<Error>;
  readonly view: NodeView;
  /** What the node tells its clients of itself, for whoever tells it by other ways. */
  readonly reports: Pick<NodeReports, 'status'>;
  /**
   * Hands leadership over, accepts nothing more, answers what was begun, and closes the directory. Idempotent.
   *
   * @throws ServerError KAYA_STOP_TIMEOUT when not everything was closed in time; what closing fails with.
   */
  stop(options?: StopOptions): Promise<void>;
}

/** Parts of the time to stop in: for somebody else to lead, and for clients that have not taken their answers; then they are cut off. */
const HAND_OVER_SHARE = 0.2;
const CLIENTS_SHARE = 0.5;
/** For somebody else to lead when the disk does not answer, or is nearly full. */
const HAND_OVER_MS = 2_000;

/**
 * Resolves when both ports listen; finding a group goes on behind that.
 *
 * @throws TransportError KAYA_LISTEN_FAILED; RangeError for a bad limit, times that do not go together, or an empty token; what `NodeDirectory.open` throws. Nothing is open then.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const limits = resolveLimits(options.limits);
  const timing = resolveTiming(options.timing);
  const { fileSystem, processes, directory, nodeId, random, clock, yieldTurn } = options;
  const watched = watchSyncs(fileSystem, options.clock);
  const opened = await NodeDirectory.open({
    fs: fileSystem,
    processes,
    directory,
    node: nodeId,
    drawIncarnation: () => drawIncarnation(random),
    check: (identity) => checkStart({ fs: fileSystem, directory, processes, clock, yieldTurn }, identity),
  });
  let node: Node | undefined;
  try {
    node = new Node({ ...options, fileSystem: watched.fileSystem }, opened, watched.storage, { limits, timing });
    await node.listen();
    return node;
  } catch (error) {
    // The first failure is the one to report.
    await (node?.stop() ?? opened.close()).catch(() => undefined);
    throw error;
  }
}

/** Of the options, completed and checked. */
interface Resolved {
  readonly limits: ServerLimits;
  readonly timing: GroupTiming;
}

class Node implements RunningNode {
  readonly failed: Promise<Error>;
  readonly view: NodeView;
  readonly reports: NodeReporter;
  readonly #options: NodeOptions;
  readonly #directory: NodeDirectory;
  readonly #group: Group;
  readonly #door: ClientDoor;
  readonly #watch: NodeWatch;
  #resolveFailed: (cause: Error) => void = () => {};
  /** The first reason, which is the one that is told. */
  #endError: Error | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: NodeOptions, directory: NodeDirectory, storage: StorageView, { limits, timing }: Resolved) {
    const { clock, logger, peers = [], isJoining = false, keepsLeases = false } = options;
    this.#options = options;
    this.#directory = directory;
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve;
    });
    const fail = (cause: Error): void => {
      this.#endError ??= cause;
      this.#resolveFailed(cause);
    };
    this.#group = new Group({
      ...options,
      directory,
      peers,
      isJoining,
      timing,
      keepsLeases,
      clientAddress: () => this.view.clientAddress,
      onEnd: fail,
    });
    this.reports = new NodeReporter({
      view: () => this.view,
      clientAddressOf: (node) => this.#group.clientAddressOf(node),
    });
    const { replica, membership } = this.#group;
    const operations2 = new NodeOperations({ replica, membership, reports: this.reports, limits });
    this.#door = new ClientDoor({
      ...options,
      operations: new ReplicaV1Operations({ operations: operations2, clock, limits }),
      operations2,
      address: options.clientAddress,
      tls: clientTls(options),
      limits,
      onFailed: fail,
    });
    this.view = new LiveNodeView({
      options,
      directory,
      group: this.#group,
      door: this.#door,
      storage,
      timing,
      limits,
      isStopping: () => this.#stopping !== undefined,
      endError: () => this.#endError,
    });
    this.#watch = new NodeWatch({
      storage,
      view: this.view,
      clock,
      logger,
      handOver: (order) => void this.#group.handOver(HAND_OVER_MS, order),
      giveUp: fail,
    });
  }

  get address(): Endpoint {
    return this.#door.address;
  }

  get peerAddress(): Endpoint {
    return this.#group.peerAddress;
  }

  get ready(): Promise<void> {
    return this.#group.ready;
  }

  /** The clients' door first: others are told its address. */
  async listen(): Promise<void> {
    await this.#door.listen();
    await this.#group.listen();
    this.#watch.start();
  }

  stop({ deadlineMs = 10_000 }: StopOptions = {}): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.now() + deadlineMs;
    await this.#group.handOver(deadlineMs * HAND_OVER_SHARE);
    try {
      await this.#door.stop(deadlineMs * CLIENTS_SHARE);
    } finally {
      this.#watch.stop();
      await this.#closeWithin(deadline - clock.now(), deadlineMs);
    }
  }

  async #closeWithin(limitMs: number, deadlineMs: number): Promise<void> {
    if (await settlesWithin(this.#close(), limitMs, this.#options.clock)) return;
    const message = `the directory was not closed within ${deadlineMs} ms; nothing acknowledged is lost, the next start replays the log`;
    throw new ServerError('KAYA_STOP_TIMEOUT', message);
  }

  async #close(): Promise<void> {
    try {
      await this.#group.close();
    } finally {
      await this.#directory.close();
    }
  }
}

function clientTls({ tls }: NodeOptions): ListenTls | undefined {
  if (tls === undefined) return undefined;
  const { identity, minClientVersion, requiresClientCertificate = false } = tls;
  return {
    identity,
    requiresPeerCertificate: requiresClientCertificate,
    ...(minClientVersion === undefined ? {} : { minVersion: minClientVersion }),
  };
}

/** From 1 to 2^53 - 1, each as likely as any other. */
function drawIncarnation({ bytes }: NodeRandom): number {
  for (;;) {
    const drawn = Number(Buffer.from(bytes(8)).readBigUInt64LE() & BigInt(Number.MAX_SAFE_INTEGER));
    if (drawn > 0) return drawn;
  }
}
