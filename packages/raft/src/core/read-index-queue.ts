/**
 * Reads of a leader that wait until a quorum has confirmed that it still leads (thesis section 6.4). Reads are counted from 1 on; a heartbeat carries
 * the number of the last one so far, and its answer confirms all up to there.
 * Invariant: a number is never given again, not to a read that is asked for again and not in a later term, so that a late answer confirms nothing else.
 */

import type { ReadIndexRequest } from './message.ts';
import { committedIndex, type MatchSource } from './quorum.ts';
import type { Configuration, LogIndex, NodeId } from './types.ts';

/** A read, and the commit index when it was asked for: what it must see. */
export interface PendingRead {
  readonly request: ReadIndexRequest;
  readonly index: LogIndex;
}

export const EMPTY_CONTEXT: Uint8Array = new Uint8Array(0);

const CONTEXT_BYTES = 8;

export class ReadIndexQueue implements MatchSource {
  readonly #confirmations = new Map<NodeId, number>();
  #pending: PendingRead[] = [];
  /** Number of the last read that is answered, or was given up. */
  #settled = 0;

  get pendingCount(): number {
    return this.#pending.length;
  }

  add(request: ReadIndexRequest, index: LogIndex): void {
    this.#pending.push({ request, index });
  }

  /** What a heartbeat has to carry, to confirm all that wait; empty when none does. */
  heartbeatContext(): Uint8Array {
    if (this.#pending.length === 0) return EMPTY_CONTEXT;
    const context = new Uint8Array(CONTEXT_BYTES);
    new DataView(context.buffer).setBigUint64(0, BigInt(this.#lastNumber), true);
    return context;
  }

  /** `from` has confirmed what `context` stands for. One that was never handed out is ignored. */
  recordConfirmation(from: NodeId, context: Uint8Array): void {
    if (context.byteLength !== CONTEXT_BYTES) return;
    const number = Number(new DataView(context.buffer, context.byteOffset, CONTEXT_BYTES).getBigUint64(0, true));
    if (number > this.#lastNumber) return;
    this.#confirmations.set(from, Math.max(this.matchOf(from), number));
  }

  matchOf(id: NodeId): number {
    return this.#confirmations.get(id) ?? 0;
  }

  /** Takes the reads, in their order, that a quorum of `configuration` has confirmed. */
  takeConfirmed(configuration: Configuration): readonly PendingRead[] {
    const { voters, votersOutgoing } = configuration;
    const confirmed = Math.min(committedIndex(voters, votersOutgoing, this), this.#lastNumber);
    if (confirmed <= this.#settled) return [];
    const count = confirmed - this.#settled;
    const reads = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    this.#settled = confirmed;
    return reads;
  }

  /** Gives up what waits: the node does not lead any more. */
  reset(): void {
    this.#settled = this.#lastNumber;
    this.#pending = [];
    this.#confirmations.clear();
  }

  get #lastNumber(): number {
    return this.#settled + this.#pending.length;
  }
}
