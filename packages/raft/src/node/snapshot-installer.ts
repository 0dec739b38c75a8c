/**
 * Takes the snapshots that peers send to their end: from the receiver to the state machine's files, then to the node.
 *
 * Invariant: the state machine has agreed to a snapshot before the node hears of it, and its files stay where they arrived until the node has taken it, or goes on without it.
 * Nothing that a peer sends makes it throw.
 * Rules: docs/format/raft-snapshot-transfer.md, "The receiver".
 */

import type { SnapshotRequest } from '../core/message.ts';
import { RaftError } from '../errors.ts';
import type { SenderMessage, TransferMessage } from '../wire/transfer-message.ts';
import type { NodeEventSink } from './node-events.ts';
import type { RaftNode } from './raft-node.ts';
import { SerialQueue } from './serial-queue.ts';
import { type ReceiverEffect, refusalOf, type SnapshotReceiver } from './snapshot-receiver.ts';
import type { SnapshotTarget } from './snapshot-target.ts';

export interface SnapshotInstallerOptions {
  readonly node: Pick<RaftNode<unknown>, 'installSnapshot' | 'summary' | 'poison'>;
  readonly receiver: SnapshotReceiver;
  readonly target: SnapshotTarget;
  /** To `message.to`. May drop what it cannot send now. */
  readonly send: (message: TransferMessage) => void;
  readonly onEvent?: NodeEventSink;
  /** How often a node that has no room for it is asked again, once in a tick. */
  readonly maxRetries?: number;
}

const DEFAULT_MAX_RETRIES = 100;
/** Ticks between two looks for a snapshot that has come in part and is of no use any more. */
const SWEEP_TICKS = 100;

export class SnapshotInstaller {
  readonly #options: SnapshotInstallerOptions;
  readonly #onEvent: NodeEventSink;
  /** One after the other into the node. */
  readonly #installs = new SerialQueue();
  #tickCount = 0;
  /** Who waits for the next tick. */
  #waiters: (() => void)[] = [];
  #isClosed = false;

  constructor(options: SnapshotInstallerOptions) {
    this.#options = options;
    this.#onEvent = options.onEvent ?? (() => {});
  }

  /** Takes a message of a peer that sends a snapshot. Never rejects. Keeps `message` until it resolves. */
  async receive(message: SenderMessage): Promise<void> {
    if (this.#isClosed) return;
    try {
      if (this.#maybeTurnAway(message)) return;
      for (const effect of await this.#options.receiver.receive(message)) {
        if (!(await this.#carryOut(effect, message))) return;
      }
    } catch (cause) {
      this.#onEvent({ kind: 'snapshot-transfer-refused', from: message.from, reason: 'storage', cause });
    }
  }

  /** Time goes by. */
  tick(): void {
    for (const resume of this.#waiters.splice(0)) resume();
    if (this.#isClosed || this.#tickCount++ % SWEEP_TICKS > 0) return;
    const { receiver, node } = this.#options;
    // What could not be removed is tried again, by the next sweep or the next snapshot.
    receiver.discardUpTo(node.summary().commit).catch(() => undefined);
  }

  /** What has come in part stays, and is taken up when it is offered again. Requires: the node is closed. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const resume of this.#waiters.splice(0)) resume();
    await this.#options.receiver.close();
    await this.#installs.run(() => Promise.resolve());
  }

  /** Refuses an offer of what the node has already, or of a leader before the one that it knows of. @returns Whether it did. */
  #maybeTurnAway(message: SenderMessage): boolean {
    if (message.kind !== 'snapshot-offer') return false;
    const { node, send } = this.#options;
    const { from, to, term, snapshot } = message;
    const known = node.summary();
    const isHere = snapshot.meta.index <= known.commit;
    if (!isHere && term >= known.term) return false;
    send(refusalOf(message, 'older'));
    // The core makes no use of it, and tells the leader how far it is: otherwise that would offer snapshots for ever.
    if (isHere) node.installSnapshot({ kind: 'snapshot', from, to, term, snapshot }).catch(() => undefined);
    return true;
  }

  /** @returns Whether what follows it is to be carried out too. */
  async #carryOut(effect: ReceiverEffect, message: SenderMessage): Promise<boolean> {
    switch (effect.kind) {
      case 'send':
        this.#options.send(effect.message);
        return true;
      case 'refused':
        this.#onEvent({ ...effect, kind: 'snapshot-transfer-refused' });
        // No snapshot will be taken any more in the life of this process, so that the node would lag for ever.
        if (isPoison(effect.cause)) this.#options.node.poison(effect.cause);
        return true;
      case 'replaced':
        this.#onEvent({ ...effect, kind: 'snapshot-transfer-replaced' });
        return true;
      case 'received':
        return await this.#adopt(effect, message);
    }
  }

  async #adopt(
    { request, directory, files }: Extract<ReceiverEffect, { kind: 'received' }>,
    message: SenderMessage,
  ): Promise<boolean> {
    const { target, receiver, send } = this.#options;
    try {
      await target.adopt(request.snapshot, directory, files);
    } catch (cause) {
      await receiver.release();
      this.#onEvent({ kind: 'snapshot-transfer-refused', from: request.from, reason: 'storage', cause });
      send(refusalOf(message, 'storage'));
      return false;
    }
    void this.#installs.run(() => this.#install(request));
    return true;
  }

  async #install(request: SnapshotRequest): Promise<void> {
    const { target, receiver } = this.#options;
    const { from, snapshot } = request;
    const notInstalled = (cause: unknown): void =>
      this.#onEvent({ kind: 'snapshot-not-installed', from, index: snapshot.meta.index, cause });
    try {
      const isInstalled = await this.#offerToNode(request);
      if (!isInstalled) {
        notInstalled(undefined);
        await target.abandon(snapshot);
      }
      await receiver.release();
    } catch (cause) {
      // A node that has stopped may ask for the files when it starts again. What could not be removed is removed later.
      if (!this.#isClosed) notInstalled(cause);
    }
  }

  /** @returns Whether it was installed. @throws What has ended the node. */
  async #offerToNode(request: SnapshotRequest): Promise<boolean> {
    const { node, maxRetries = DEFAULT_MAX_RETRIES } = this.#options;
    for (let retries = 0; ; retries++) {
      const outcome = await node.installSnapshot(request);
      if (outcome !== 'no-room') return outcome === 'installed';
      if (this.#isClosed || retries === maxRetries) return false;
      await new Promise<void>((resume) => this.#waiters.push(resume));
    }
  }
}

function isPoison(cause: unknown): boolean {
  return cause instanceof RaftError && cause.code === 'KAYA_RAFT_POISONED';
}
