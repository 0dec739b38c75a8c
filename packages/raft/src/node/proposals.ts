/**
 * Proposals from their call to their end, in the order of the calls.
 *
 * Invariant: each ends exactly once. Those in the log are in ascending order of (term, index), since a node's terms only grow and a leader only appends; so what
 * an applied entry decides is always at the head.
 * Bound: count and bytes of those that have not ended.
 */

import { assert } from '@kayadb/codec';

import type { ConfigChange } from '../core/config-change.ts';
import type { ProposeOutcome } from '../core/outcome.ts';
import { type Configuration, type Entry, type LogIndex, NO_NODE, type NodeId, type Term } from '../core/types.ts';
import { NotLeaderError, RaftError } from '../errors.ts';
import { Fifo } from './fifo.ts';

export interface ProposalLimits {
  readonly maxProposals: number;
  readonly maxProposalBytes: number;
}

/** What the entry did where it was applied. `nothing`: it is for nobody, as the leader made it out of a change that it refused. */
export type EntryOutcome<Result> =
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'nothing' };

export interface CommittedEntry<Result> {
  readonly index: LogIndex;
  readonly term: Term;
  readonly outcome: EntryOutcome<Result>;
}

/** `data` as it comes into the log. */
export type Proposal =
  | { readonly kind: 'normal'; readonly data: Uint8Array }
  | { readonly kind: 'config'; readonly data: Uint8Array; readonly change: ConfigChange };

interface Pending<Result> {
  readonly proposal: Proposal;
  readonly deadlineTick: number;
  readonly resolve: (committed: CommittedEntry<Result>) => void;
  readonly reject: (error: RaftError) => void;
}

interface Appended<Result> {
  readonly index: LogIndex;
  readonly term: Term;
  readonly pending: Pending<Result>;
}

export class Proposals<Result> {
  readonly #limits: ProposalLimits;
  readonly #waiting = new Fifo<Pending<Result>>();
  readonly #appended = new Fifo<Appended<Result>>();
  #bytes = 0;

  constructor(limits: ProposalLimits) {
    this.#limits = limits;
  }

  /** Those that have not ended. */
  get count(): number {
    return this.#waiting.length + this.#appended.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Those that are not in the log. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Keeps `proposal.data`. @returns Its end. */
  add(proposal: Proposal, deadlineTick: number): Promise<CommittedEntry<Result>> {
    const bytes = proposal.data.byteLength;
    const { maxProposals, maxProposalBytes } = this.#limits;
    if (this.count >= maxProposals || (this.count > 0 && this.#bytes + bytes > maxProposalBytes)) {
      return Promise.reject(
        dropped(`${this.count} proposals of ${this.#bytes} bytes have not ended; try again when some have`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#bytes += bytes;
      this.#waiting.push({ proposal, deadlineTick, resolve, reject });
    });
  }

  /**
   * The next ones to be proposed together: one change of the group alone, or at most `maxCount` entries of up to `maxBytes`, one at least. They
   * count as waiting until `proposed` says what became of them.
   */
  nextBatch(maxBytes: number, maxCount: number): readonly Proposal[] {
    const batch: Proposal[] = [];
    let bytes = 0;
    for (const { proposal } of this.#waiting) {
      bytes += proposal.data.byteLength;
      if (batch.length > 0 && (proposal.kind === 'config' || bytes > maxBytes)) break;
      batch.push(proposal);
      if (proposal.kind === 'config' || batch.length === maxCount) break;
    }
    return batch;
  }

  /** The oldest of those that wait will not happen. */
  refuseNext(error: RaftError): void {
    const pending = this.#waiting.take();
    assert(pending !== undefined, 'nothing waits');
    this.#reject(pending, error);
  }

  /** The first `count` of those that wait were given to the core. `leader` is whom the node knows to lead. */
  proposed(count: number, outcome: ProposeOutcome, leader: NodeId): void {
    for (let at = 0; at < count; at++) {
      const pending = this.#waiting.take();
      assert(pending !== undefined, 'more was proposed than waits');
      if (outcome.kind === 'appended') {
        this.#appended.push({ index: outcome.index + at, term: outcome.term, pending });
      } else {
        this.#reject(pending, refusalOf(outcome, leader));
      }
    }
  }

  /** All that wait are refused: they will not happen. */
  refuseWaiting(error: RaftError): void {
    for (const pending of this.#waiting.takeAll()) this.#reject(pending, error);
  }

  /** `entry` was applied. Ends those that it proves to be committed, and those whose place it shows to be taken. */
  applied(entry: Pick<Entry, 'index' | 'term'>, outcome: EntryOutcome<Result>): void {
    const { index, term } = entry;
    this.#dropBelowTerm(term, index);
    const head = this.#appended.peek();
    if (head === undefined || head.term !== term || head.index !== index) return;
    this.#appended.take();
    if (head.pending.proposal.kind === 'config' && outcome.kind === 'nothing') {
      this.#reject(head.pending, dropped(`the change of the group at index ${index} did not fit the group as it was`));
      return;
    }
    this.#bytes -= head.pending.proposal.data.byteLength;
    head.pending.resolve({ index, term, outcome });
  }

  /** A snapshot whose last entry is (`index`, `term`) took the place of the log: of what it covers nobody here can say what it did. */
  coveredBySnapshot(index: LogIndex, term: Term): void {
    const kept: Appended<Result>[] = [];
    for (const appended of this.#appended.takeAll()) {
      const isCovered = appended.index <= index;
      if (isCovered ? appended.term > term : appended.term < term) this.#reject(appended.pending, placeTaken(appended));
      else if (isCovered)
        this.#reject(appended.pending, unknown(appended.index, 'a snapshot took the place of the log'));
      else kept.push(appended);
    }
    for (const appended of kept) this.#appended.push(appended);
  }

  /** Ends those whose deadline is `tick` or was before. */
  expire(tick: number): void {
    for (let head = this.#appended.peek(); head !== undefined; head = this.#appended.peek()) {
      if (head.pending.deadlineTick > tick) return;
      this.#appended.take();
      this.#reject(head.pending, unknown(head.index, 'it was not committed in time, and may be yet'));
    }
    for (let head = this.#waiting.peek(); head !== undefined; head = this.#waiting.peek()) {
      if (head.deadlineTick > tick) return;
      this.#waiting.take();
      this.#reject(head, dropped('nobody took the proposal in time'));
    }
  }

  /** The node stops: what was not proposed is told `stopped`, of the rest nobody here will hear. */
  endAll(stopped: RaftError): void {
    for (const appended of this.#appended.takeAll()) {
      this.#reject(appended.pending, unknown(appended.index, 'the node stopped', stopped));
    }
    this.refuseWaiting(stopped);
  }

  #dropBelowTerm(term: Term, index: LogIndex): void {
    for (let head = this.#appended.peek(); head !== undefined && head.term < term; head = this.#appended.peek()) {
      assert(head.index >= index, `the proposal at index ${head.index} was passed over before ${index}`);
      this.#appended.take();
      this.#reject(head.pending, placeTaken(head));
    }
  }

  #reject(pending: Pending<Result>, error: RaftError): void {
    this.#bytes -= pending.proposal.data.byteLength;
    pending.reject(error);
  }
}

export function dropped(what: string): RaftError {
  return new RaftError('KAYA_RAFT_DROPPED', `the proposal was not taken: ${what}`);
}

function placeTaken({ index, term }: { readonly index: LogIndex; readonly term: Term }): RaftError {
  return dropped(`another leader's entry was committed in the place of (${index}, term ${term})`);
}

function unknown(index: LogIndex, why: string, cause?: unknown): RaftError {
  const what = `whether the proposal at index ${index} was committed is not known here: ${why}`;
  return new RaftError('KAYA_RAFT_UNKNOWN_OUTCOME', what, { cause });
}

function refusalOf(outcome: Exclude<ProposeOutcome, { readonly kind: 'appended' }>, leader: NodeId): RaftError {
  if (outcome.kind === 'forwarded') throw new TypeError('nodes do not pass on proposals');
  switch (outcome.reason) {
    case 'quota':
      return dropped('the log holds too much that is not applied; try again');
    case 'transferring':
      return dropped('leadership is being handed over; try again');
    case 'not-member':
      return new NotLeaderError(NO_NODE, 'this node was removed from its group');
    case 'no-leader':
      return new NotLeaderError(NO_NODE, 'this node knows of no leader; try again, or elsewhere');
    case 'forwarding-disabled':
      return new NotLeaderError(leader, `node ${leader} leads; propose there`);
  }
}
