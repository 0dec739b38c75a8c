/** Three Raft cores in one thread that keep their logs in memory: what consensus costs by itself, without a disk, a network or a clock. */

import { type Message, type NodeId, RaftCore, type Ready } from '@kayadb/raft';
import { MemoryLogStorage } from '@kayadb/raft/testing';

const IDS: readonly NodeId[] = [1, 2, 3];
/** Logs are cut when they are so long, as a node's would be. */
const KEPT_ENTRIES = 20_000;

interface Member {
  readonly core: RaftCore;
  readonly storage: MemoryLogStorage;
  inbox: Message[];
  applied: number;
}

export class CoreCluster {
  readonly #members: readonly Member[];
  readonly #leader: Member;

  constructor() {
    this.#members = IDS.map((id) => {
      const storage = new MemoryLogStorage();
      const none = { votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
      storage.bootstrap({ voters: IDS, ...none });
      const limits = { maxMessageBytes: 1024 * 1024, maxInflightMessages: 256 };
      const core = new RaftCore({ id, electionTicks: 10, heartbeatTicks: 1, storage, random: () => 0, ...limits });
      return { core, storage, inbox: [], applied: 0 };
    });
    this.#leader = this.#members[0]!;
    this.#leader.core.campaign();
    this.#settle();
    if (this.#leader.core.role !== 'leader') throw new Error('the first node did not become the leader');
  }

  /** Entries that every node has applied. */
  get applied(): number {
    return Math.min(...this.#members.map(({ applied }) => applied));
  }

  /** Proposes `payloads` and goes on until every node has applied them. */
  replicate(payloads: readonly Uint8Array[]): void {
    const outcome = this.#leader.core.propose(payloads);
    if (outcome.kind !== 'appended') throw new Error(`a proposal ended as ${outcome.kind}`);
    this.#settle();
  }

  #settle(): void {
    for (let isBusy = true; isBusy;) {
      isBusy = false;
      for (const member of this.#members) {
        const { core, inbox } = member;
        if (inbox.length > 0) {
          member.inbox = [];
          for (const message of inbox) core.step(message);
        }
        while (core.hasReady) {
          isBusy = true;
          this.#handle(member, core.ready());
          core.advance();
        }
      }
    }
  }

  #handle(member: Member, { hardState, entries, committedEntries, messages }: Ready): void {
    const { storage, core } = member;
    if (hardState !== undefined) storage.setHardState(hardState);
    if (entries.length > 0) storage.append(entries);
    for (const message of messages) {
      if (message.to === core.id) core.step(message);
      else this.#members[message.to - 1]!.inbox.push(message);
    }
    const last = committedEntries.at(-1);
    if (last === undefined) return;
    member.applied = last.index;
    if (last.index - storage.firstIndex > KEPT_ENTRIES) storage.compact(last.index - KEPT_ENTRIES / 2);
  }
}
