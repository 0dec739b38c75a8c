/**
 * How nodes that have no cluster come to have one: docs/format/peer-handshake.md, "How a group begins".
 *
 * Invariant: a node is in one cluster for good, and of two clusters that parts of the same nodes founded at most one has a majority of them, so nothing that was acknowledged is in the
 * other.
 */

import { createHash } from 'node:crypto';

import type { Clock, Timer } from '@kayadb/codec';
import type { NodeId } from '@kayadb/raft';
import { FORMATION_WAIT_MS } from '@kayadb/transport';

export interface FormationOptions {
  readonly node: NodeId;
  /** All nodes that are to begin together, this one too; or those to be asked by a node that is to be added. In any order. */
  readonly nodes: readonly NodeId[];
  /** Waits for a leader in place of founding anything. */
  readonly isJoining: boolean;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly waitMs?: number;
}

/** What was said by a node that this one was told of. */
export interface Heard {
  readonly sender: NodeId;
  /** 32 hex digits; undefined: none yet. */
  readonly cluster: string | undefined;
  /** Something has happened in its cluster since it began. */
  readonly hasHistory: boolean;
}

export interface Formed {
  /** 32 hex digits. */
  readonly cluster: string;
  /** Who votes at the beginning, ascending; of a node that joins, or comes late, nobody: the log will tell. */
  readonly voters: readonly NodeId[];
  /** What the operator should know if the log turns out to be empty; one sentence. */
  readonly doubt?: string;
}

const RANDOM_BYTES = 12;
const HASH_BYTES = 4;

export class Formation {
  /** Resolves when this node has a cluster. */
  readonly formed: Promise<Formed>;
  readonly #options: FormationOptions;
  readonly #nodes: readonly NodeId[];
  /** This node, and those without a cluster. */
  readonly #heard: Set<NodeId>;
  #resolve: (formed: Formed) => void = () => {};
  #wait: Timer | undefined;
  #hasWaited = false;
  #isOver = false;

  constructor(options: FormationOptions) {
    this.#options = options;
    this.#nodes = [...new Set([options.node, ...options.nodes])].toSorted((a, b) => a - b);
    this.#heard = new Set([options.node]);
    this.formed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#maybeFound();
  }

  /** Nodes that have not been heard. */
  get missing(): readonly NodeId[] {
    return this.#nodes.filter((node) => !this.#heard.has(node));
  }

  /**
   * @returns What is wrong, in words, when the node's cluster is not one that this node can be in.
   */
  hear({ sender, cluster, hasHistory }: Heard): string | undefined {
    if (this.#isOver || !this.#nodes.includes(sender)) return undefined;
    if (cluster === undefined) {
      this.#heard.add(sender);
      this.#maybeFound();
      return undefined;
    }
    if (this.#options.isJoining) this.#finish({ cluster, voters: [] });
    // Late, or its disk was wiped: a node that began from the first state now might vote against what it has acknowledged before.
    else if (cluster.endsWith(hashOf(this.#nodes))) this.#finish({ cluster, voters: hasHistory ? [] : this.#nodes });
    else return `node ${sender} is in a cluster that did not begin with nodes ${this.#nodes.join(', ')}`;
    return undefined;
  }

  /** Nothing comes of it any more. Idempotent. */
  close(): void {
    this.#isOver = true;
    this.#wait?.cancel();
  }

  /** The node with the smallest number founds the cluster: when all are there, or a while after a majority was. */
  #maybeFound(): void {
    const { isJoining, node, clock, waitMs = FORMATION_WAIT_MS } = this.#options;
    if (isJoining || this.#heard.size * 2 <= this.#nodes.length) return;
    const isComplete = this.#heard.size === this.#nodes.length;
    if (isComplete || this.#hasWaited) {
      if (Math.min(...this.#heard) === node) this.#found();
      return;
    }
    this.#wait ??= clock.setTimer(waitMs, () => {
      this.#hasWaited = true;
      this.#maybeFound();
    });
  }

  #found(): void {
    const random = Buffer.from(this.#options.randomBytes(RANDOM_BYTES)).toString('hex');
    this.#finish({ cluster: random + hashOf(this.#nodes), voters: this.#nodes });
  }

  #finish(formed: Formed): void {
    this.close();
    this.#resolve(formed);
  }
}

/**
 * The cluster that the directory is in already: the first start may have ended in front of the first state of the group.
 *
 * @param nodes - As `FormationOptions`.
 */
export function formedBefore(cluster: string, nodes: readonly NodeId[], isJoining: boolean): Formed {
  const all = [...new Set(nodes)].toSorted((a, b) => a - b);
  if (isJoining) return { cluster, voters: [] };
  if (cluster.endsWith(hashOf(all))) return { cluster, voters: all };
  const what = `the directory is of cluster ${cluster}, which did not begin with nodes ${all.join(', ')}, and its log is empty`;
  const doubt = `${what}: the node waits for a member to send it the log; if it is to begin with the others, start it with the same --peer list as the first time`;
  return { cluster, voters: [], doubt };
}

/** Nodes that were started with different lists must not begin together. */
function hashOf(nodes: readonly NodeId[]): string {
  const hash = createHash('sha256').update('kayadb cluster');
  const number = Buffer.alloc(8);
  for (const node of nodes) {
    number.writeBigUInt64LE(BigInt(node));
    hash.update(number);
  }
  return hash.digest().subarray(0, HASH_BYTES).toString('hex');
}
