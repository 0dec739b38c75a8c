/**
 * Several nodes and what goes between them, in memory, in one order only: a message is stepped, what follows from it is sent behind all that is
 * on its way already, until nothing is. A member of the configuration that is not in the network is a black hole.
 * Invariant, checked as it goes: one leader in a term, and one entry at an index wherever it is applied (paper figure 3).
 */

import { assert } from '@kayadb/codec';

import type { Message, MessageKind } from '../core/message.ts';
import type { ProposeOutcome } from '../core/outcome.ts';
import type { Status } from '../core/status.ts';
import type { Entry, LogIndex, NodeId, Term } from '../core/types.ts';
import { bytesOf } from './test-messages.ts';
import { TestNode, type TestNodeOptions } from './test-node.ts';

export interface NetworkOptions {
  /** A number of 0 or more, below `limit`. Needed where messages are lost by chance. */
  readonly random?: (limit: number) => number;
}

/** Bound: messages that are delivered before the network has to be quiet. More is a loop. */
const MAX_DELIVERIES = 100_000;
const CHANCES = 1_000_000;

/** Sees each message that is to be delivered, before anything is lost; one for which it gives false is lost. */
export type MessageHook = (message: Message) => boolean;

export class Network {
  readonly #nodes = new Map<NodeId, TestNode>();
  readonly #random: ((limit: number) => number) | undefined;
  readonly #lossByLink = new Map<string, number>();
  readonly #ignored = new Set<MessageKind>();
  readonly #leaders = new Map<Term, NodeId>();
  readonly #appliedByIndex = new Map<LogIndex, Entry>();
  /** How many of the entries that a node has applied were looked at. */
  readonly #checkedCounts = new WeakMap<TestNode, number>();
  #hook: MessageHook = () => true;

  constructor(nodes: readonly TestNode[], options: NetworkOptions = {}) {
    this.#random = options.random;
    for (const node of nodes) this.#nodes.set(node.id, node);
  }

  /** @throws RangeError when there is none of this id. */
  node(id: NodeId): TestNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new RangeError(`there is no node ${id} in this network`);
    return node;
  }

  /** By ascending id, if they were given so. */
  get nodes(): readonly TestNode[] {
    return [...this.#nodes.values()];
  }

  status(id: NodeId): Status {
    return this.node(id).status;
  }

  /** Puts `node` into the place of the one with its id, or beside the others. */
  replace(node: TestNode): void {
    this.#nodes.set(node.id, node);
  }

  /** Steps `messages`, one after the other, and delivers until nothing is on its way. What is given here is not lost. */
  send(...messages: readonly Message[]): void {
    this.#deliver(messages.map((message) => ({ message, isGiven: true })));
  }

  /** Delivers what the nodes have to say already, and what follows from it. */
  settle(): void {
    const queue = [...this.#nodes.values()].flatMap((node) => this.#messagesOf(node));
    this.#deliver(queue.map((message) => ({ message, isGiven: false })));
  }

  campaign(id: NodeId): void {
    this.node(id).core.campaign();
    this.settle();
  }

  /** Proposes `text` at `id`, in an entry of its own. */
  propose(id: NodeId, text: string): ProposeOutcome {
    const outcome = this.node(id).core.propose([bytesOf(text)]);
    this.settle();
    return outcome;
  }

  readIndex(id: NodeId, context: string): void {
    this.node(id).core.readIndex(bytesOf(context));
    this.settle();
  }

  /** Asks `at` that leadership go to `target`. */
  transferLeader(at: NodeId, target: NodeId): void {
    this.node(at).core.transferLeader(target);
    this.settle();
  }

  /** Time goes on for `id` alone; what it says is delivered after each tick. */
  tick(id: NodeId, count = 1): void {
    for (let i = 0; i < count; i++) {
      this.node(id).core.tick();
      this.settle();
    }
  }

  /** Loses messages from `from` to `to`, with `probability` from 0 to 1. */
  drop(from: NodeId, to: NodeId, probability = 1): void {
    this.#lossByLink.set(linkOf(from, to), probability);
  }

  /** Loses what goes between `a` and `b`, both ways. */
  cut(a: NodeId, b: NodeId): void {
    this.drop(a, b);
    this.drop(b, a);
  }

  /** Loses whatever goes between `id` and any other node. */
  isolate(id: NodeId): void {
    for (const other of this.#nodes.keys()) {
      if (other !== id) this.cut(id, other);
    }
  }

  /** Loses messages of `kind`. */
  ignore(kind: MessageKind): void {
    this.#ignored.add(kind);
  }

  /** `hook` sees what is delivered from now on. */
  onMessage(hook: MessageHook): void {
    this.#hook = hook;
  }

  /** Nothing is lost any more. The hook stays. */
  recover(): void {
    this.#lossByLink.clear();
    this.#ignored.clear();
  }

  #deliver(queue: OnItsWay[]): void {
    for (let at = 0; at < queue.length; at++) {
      assert(at < MAX_DELIVERIES, `the network is not quiet after ${MAX_DELIVERIES} messages`);
      const { message, isGiven } = queue[at] as OnItsWay;
      if (!isGiven && this.#isLost(message)) continue;
      const node = this.#nodes.get(message.to);
      if (node === undefined) continue;
      node.step(message);
      for (const next of this.#messagesOf(node)) queue.push({ message: next, isGiven: false });
    }
  }

  #messagesOf(node: TestNode): readonly Message[] {
    const messages = node.drain();
    this.#checkLeader(node);
    this.#checkApplied(node);
    return messages;
  }

  #isLost(message: Message): boolean {
    if (!this.#hook(message) || this.#ignored.has(message.kind)) return true;
    const probability = this.#lossByLink.get(linkOf(message.from, message.to)) ?? 0;
    if (probability === 0 || probability === 1) return probability === 1;
    assert(this.#random !== undefined, 'messages that are lost by chance need a source of chance');
    return this.#random(CHANCES) < probability * CHANCES;
  }

  #checkLeader({ id, status: { role, term } }: TestNode): void {
    if (role !== 'leader') return;
    const leader = this.#leaders.get(term) ?? id;
    assert(leader === id, `nodes ${leader} and ${id} both lead in term ${term}`);
    this.#leaders.set(term, id);
  }

  #checkApplied(node: TestNode): void {
    const { applied } = node;
    const checked = this.#checkedCounts.get(node) ?? 0;
    for (const entry of applied.slice(checked <= applied.length ? checked : 0)) {
      const other = this.#appliedByIndex.get(entry.index) ?? entry;
      assert(isSameEntry(entry, other), `node ${node.id} has applied another entry ${entry.index} than one before`);
      this.#appliedByIndex.set(entry.index, other);
    }
    this.#checkedCounts.set(node, applied.length);
  }
}

interface OnItsWay {
  readonly message: Message;
  readonly isGiven: boolean;
}

export interface ClusterOptions extends Omit<TestNodeOptions, 'id' | 'voters' | 'storage'> {
  /** Ids of voters that are black holes. */
  readonly dead?: readonly NodeId[];
  /** Of single nodes, in the place of what is said for all. */
  readonly of?: Readonly<Record<NodeId, Omit<TestNodeOptions, 'id' | 'storage'>>>;
  /** For election timeouts, and for messages that are lost by chance. */
  readonly random?: (limit: number) => number;
}

/** A network of the members 1 to `size`, which know of each other: voters, but for those who are named as learners. */
export function networkOf(size: number, options: ClusterOptions = {}): Network {
  const { dead = [], of = {}, ...common } = options;
  const voters = Array.from({ length: size }, (_, i) => i + 1).filter((id) => !(common.learners ?? []).includes(id));
  const ids = [...voters, ...(common.learners ?? [])].filter((id) => !dead.includes(id));
  const nodes = ids.toSorted((a, b) => a - b).map((id) => new TestNode({ voters, ...common, ...of[id], id }));
  return new Network(nodes, options.random === undefined ? {} : { random: options.random });
}

function linkOf(from: NodeId, to: NodeId): string {
  return `${from}>${to}`;
}

function isSameEntry(a: Entry, b: Entry): boolean {
  return (
    a.term === b.term &&
    a.kind === b.kind &&
    a.data.length === b.data.length &&
    a.data.every((byte, i) => byte === b.data[i])
  );
}
