/**
 * Who may come in: judges the greetings of other nodes, and what they answer to this one's. Rules: docs/format/peer-handshake.md.
 *
 * Invariant: nothing that somebody of another cluster says, or over a connection that is not trusted as this node requires, stops this node.
 */

import type { LogIndex, NodeId } from '@kayadb/raft';
import {
  type AnswerAdvice,
  type Greeting,
  matchesIdentity,
  nodeName,
  type ExpectedIdentity,
  type PeerJudgement,
  type PeerOrigin,
  type PeerPolicy,
  type PeerSelf,
  type PeerVerdict,
  usualAdvice,
} from '@kayadb/transport';

import type { Member } from '../machine/command.ts';

/** What the node knows, asked anew each time. */
export interface DoorKnowledge {
  self(): PeerSelf;
  /** Of the group. Empty while this node knows of no member, itself included: then it takes the word of those it was told to join. */
  members(): readonly Member[];
  /** Whether `node` votes, learns, or is on its way in or out. */
  isMember(node: NodeId): boolean;
  /** Nodes that this one was told of when it was started. */
  isConfigured(node: NodeId): boolean;
  /** Whether the node was a member with this directory, and was removed. */
  wasRemoved(node: NodeId, incarnation: number): boolean;
  /** The level of the group, below which nobody comes in. */
  groupLevel(): number;
  /** Whether what this node has applied is what its group stands for: nothing has ever happened in it, or a leader is known and everything that it has committed is applied. */
  knowsGroup(): boolean;
  /**
   * Resolves when this node has applied all that its group had agreed on at the call: to false when it can not be known, as without a leader or in time. Does not reject. Bound: a part of
   * what a greeting may take.
   */
  catchUp(): Promise<boolean>;
  /** Up to where the log of `node`, with this directory, has held what is committed: as far as this process knows. */
  heldBy(node: NodeId, incarnation: number): LogIndex;
}

/** What is new in a greeting. */
export interface DoorEvents {
  /** A node that may come in has greeted, or answered. */
  handleMet(greeting: Greeting): void;
  /** This node has no business in the group any more, as a member of its own cluster says. */
  handleEnd(verdict: Extract<PeerVerdict, 'other-directory' | 'set-back' | 'removed'>, greeting: Greeting): void;
}

export interface PeerDoorOptions {
  readonly knowledge: DoorKnowledge;
  readonly events: DoorEvents;
  /** Whom a connection has to be of, where TLS is on; undefined where it is off. */
  readonly identityOf?: ((node: NodeId) => ExpectedIdentity | undefined) | undefined;
}

const STOPPING: ReadonlySet<PeerVerdict> = new Set<PeerVerdict>(['other-directory', 'set-back', 'removed']);

export class PeerDoor implements PeerPolicy {
  readonly #knowledge: DoorKnowledge;
  readonly #events: DoorEvents;
  readonly #identityOf: PeerDoorOptions['identityOf'];
  /** What each node has greeted with when it was let in last. Bound: nodes that were let in. */
  readonly #letIn = new Map<NodeId, Greeting>();

  constructor({ knowledge, events, identityOf }: PeerDoorOptions) {
    this.#knowledge = knowledge;
    this.#events = events;
    this.#identityOf = identityOf;
  }

  self(): PeerSelf {
    return this.#knowledge.self();
  }

  incarnationOf(node: NodeId): number | undefined {
    const known = this.#knowledge.members().find((member) => member.node === node)?.incarnation;
    return known === 0 ? undefined : known;
  }

  /** Which directory speaks for `node`; undefined: any. It is the one that was let in last, if it would be now and was not removed. */
  speakerOf(node: NodeId): number | undefined {
    const known = this.incarnationOf(node);
    const met = this.#letIn.get(node);
    if (met === undefined || met.incarnation === known) return known;
    const isGone = this.#knowledge.wasRemoved(node, met.incarnation);
    return !isGone && this.#isCurrent(met, this.#knowledge.self()) ? met.incarnation : known;
  }

  judgeGreeting(greeting: Greeting, origin: PeerOrigin): PeerJudgement | Promise<PeerJudgement> {
    const judgement = this.#judgeNew(greeting, origin);
    if (judgement.verdict === 'other-directory') return this.#judgeCaughtUp(greeting, origin);
    if (judgement.verdict === 'accepted') this.#note(greeting);
    return judgement;
  }

  judgeAnswer(answer: Greeting, node: NodeId, origin: PeerOrigin): AnswerAdvice {
    const { cluster, node: own, incarnation } = this.#knowledge.self();
    const isTrusted = answer.sender === node && this.#isOf(node, origin);
    if (!isTrusted) return 'retry-slowly';
    const { verdict } = answer;
    // The group has agreed on this directory, and of its removal one would be told as such: the other has not heard of it yet.
    if (verdict === 'other-directory' && this.incarnationOf(own) === incarnation) return 'retry-slowly';
    if (STOPPING.has(verdict)) {
      // Without a cluster, the nodes that this one was told of speak for it.
      const isOurs = cluster === undefined ? this.#knowledge.isConfigured(node) : answer.cluster === cluster;
      if (!isOurs) return 'retry-slowly';
      this.#events.handleEnd(verdict as Parameters<DoorEvents['handleEnd']>[0], answer);
      return 'stop';
    }
    if (verdict === 'accepted') {
      if (this.#judgeNew(answer, origin).verdict !== 'accepted') return 'retry-slowly';
      this.#note(answer);
    } else if (verdict === 'no-cluster') this.#events.handleMet(answer);
    return usualAdvice(verdict);
  }

  /**
   * A node that has fallen behind knows some members with directories that they had before. So nobody is sent away for good before this one has what the group had agreed on when it was
   * greeted.
   */
  async #judgeCaughtUp(greeting: Greeting, origin: PeerOrigin): Promise<PeerJudgement> {
    const isCaughtUp = await this.#knowledge.catchUp();
    const judgement = this.#judgeNew(greeting, origin);
    if (judgement.verdict === 'accepted') this.#note(greeting);
    if (judgement.verdict !== 'other-directory' || isCaughtUp) return judgement;
    return refuse(
      'no-member',
      `node ${this.#knowledge.self().node} can not tell whether its group knows that directory`,
    );
  }

  /** Of who comes in now; what a greeting says of the log is true in that moment only. */
  #judgeNew(greeting: Greeting, origin: PeerOrigin): PeerJudgement {
    const judgement = this.#judge(greeting, origin);
    const mayBeMember = judgement.verdict === 'accepted' || judgement.verdict === 'no-cluster';
    const setBack = mayBeMember ? this.#findSetBack(greeting) : undefined;
    return setBack === undefined ? judgement : refuse('set-back', setBack);
  }

  #judge(greeting: Greeting, origin: PeerOrigin): PeerJudgement {
    const { sender, cluster, featureLevel, incarnation } = greeting;
    const knowledge = this.#knowledge;
    const self = knowledge.self();
    if (!this.#isOf(sender, origin)) {
      return refuse('no-member', this.#explainIdentity(sender));
    }
    if (self.cluster === undefined) return this.#judgeStranger(greeting);
    if (cluster !== undefined && cluster !== self.cluster) {
      return refuse('other-cluster', `node ${self.node} is of another cluster`);
    }
    if (knowledge.wasRemoved(sender, incarnation))
      return refuse('removed', `node ${sender} was removed from the group`);
    // To one that has no cluster this node's word is that of the group: whether it is let in with this directory, is let in as new, or has to end.
    if (cluster === undefined && !knowledge.knowsGroup()) {
      return refuse('no-member', `node ${self.node} does not know yet how its group stands`);
    }
    if (!this.#isKnown(greeting, self)) {
      return refuse('no-member', `node ${sender} is no member of the group that node ${self.node} is in`);
    }
    if (!this.#isCurrent(greeting, self)) {
      return refuse('other-directory', `the group knows node ${sender} with another directory`);
    }
    if (cluster === undefined) return refuse('no-cluster', `node ${sender} is in no cluster yet`);
    if (featureLevel < knowledge.groupLevel()) {
      return refuse('no-common-version', `the group is at level ${knowledge.groupLevel()}`);
    }
    return ACCEPTED;
  }

  /**
   * Whether the sender is a member, or may be one that this node was not told of yet: it is of this cluster, and knows which directory this node has, which is
   * told to members alone. A node that has fallen behind has to hear such a one, or it would never catch up.
   */
  #isKnown({ sender, addresseeIncarnation }: Greeting, { incarnation }: PeerSelf): boolean {
    const knowledge = this.#knowledge;
    if (knowledge.isMember(sender) || addresseeIncarnation === incarnation) return true;
    return knowledge.members().length === 0 && knowledge.isConfigured(sender);
  }

  /**
   * Whether the directory is the one that the group knows; or one that it took in since, as far as this node has not heard of that yet: it knows this node's, as above. If that is the
   * leader's, nobody else could tell.
   */
  #isCurrent({ sender, cluster, incarnation, addresseeIncarnation }: Greeting, self: PeerSelf): boolean {
    const known = this.incarnationOf(sender);
    if (known === undefined || known === incarnation) return true;
    return cluster === self.cluster && addresseeIncarnation === self.incarnation;
  }

  /**
   * How this node knows that the sender's directory is an earlier state of itself, which may have forgotten votes and acknowledgements: it was met in a later boot, or in another start with
   * the same boot, or its log has held more.
   */
  #findSetBack({ sender, incarnation, boot, start, lastIndex }: Greeting): string | undefined {
    const met = this.#letIn.get(sender);
    if (met?.incarnation === incarnation) {
      if (met.boot > boot) return `the directory of node ${sender} was here in a later boot, ${met.boot}`;
      if (met.boot === boot && met.start !== start)
        return `another start of node ${sender} was here with its boot ${boot}`;
      // What it said of its log on one connection may be older than what it has acknowledged on another since.
      if (met.boot === boot) return undefined;
    }
    const held = this.#knowledge.heldBy(sender, incarnation);
    if (lastIndex === 0 || lastIndex >= held) return undefined;
    return `the log of node ${sender} has held index ${held}, and ends at ${lastIndex}`;
  }

  /** Whether who was let in would be let in now. Notes nothing. */
  isWelcome(greeting: Greeting, origin: PeerOrigin): boolean {
    return this.#judge(greeting, origin).verdict === 'accepted';
  }

  /** This node is in no cluster: it takes in nobody, and remembers who was there. */
  #judgeStranger(greeting: Greeting): PeerJudgement {
    const { node } = this.#knowledge.self();
    if (this.#knowledge.isConfigured(greeting.sender)) this.#events.handleMet(greeting);
    return refuse('no-cluster', `node ${node} is in no cluster yet`);
  }

  /** Whoever waits to be added has an address that is not known here, and is not to look for a fault in its certificate. */
  #explainIdentity(node: NodeId): string {
    const knowledge = this.#knowledge;
    if (knowledge.isMember(node) || knowledge.isConfigured(node)) return `the certificate is not that of node ${node}`;
    const what = `node ${node} is no member that node ${knowledge.self().node} knows`;
    return `${what}; one that it has not heard of yet needs the name ${nodeName(node)} in its certificate`;
  }

  #isOf(node: NodeId, { tls }: PeerOrigin): boolean {
    const expected = this.#identityOf?.(node);
    return expected === undefined || (tls?.peer !== undefined && matchesIdentity(tls.peer, expected));
  }

  #note(greeting: Greeting): void {
    this.#letIn.set(greeting.sender, greeting);
    this.#events.handleMet(greeting);
  }
}

const ACCEPTED: PeerJudgement = { verdict: 'accepted', reason: '' };

function refuse(verdict: PeerVerdict, reason: string): PeerJudgement {
  return { verdict, reason };
}
