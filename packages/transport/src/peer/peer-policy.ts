/** What the handshake between nodes asks of the node: who it is, whom it takes in, and what it makes of an answer. */

import type { Connection } from '../network.ts';
import type { PeerVerdict } from './greeting-format.ts';
import type { Greeting, VersionRange } from './greeting.ts';

/** This node, as of now. */
export interface PeerSelf {
  readonly versions: VersionRange;
  readonly cluster: string | undefined;
  readonly node: number;
  readonly incarnation: number;
  readonly boot: number;
  /** Drawn at random once in the life of the process. */
  readonly start: number;
  /** Of the log; 0 as long as it is not open. */
  readonly lastIndex: number;
  readonly featureLevel: number;
  readonly nodeAddress: string;
  readonly clientAddress: string;
}

/** Where a greeting came from, and what TLS knows of its sender: a node's identity is to be checked against it where TLS is on. */
export type PeerOrigin = Pick<Connection, 'remoteAddress' | 'tls'>;

export interface PeerJudgement {
  readonly verdict: PeerVerdict;
  /** For the dialer's log; empty when it is accepted. */
  readonly reason: string;
}

/**
 * What a dialer does after an answer: use the connection; try again soon; try again slowly; or never again, because this node was fenced or
 * removed. `proceed` counts only for an answer that accepts.
 */
export type AnswerAdvice = 'proceed' | 'retry' | 'retry-slowly' | 'stop';

export interface PeerPolicy {
  /** Asked at each greeting and each answer, since clusters, boots and addresses change. */
  self(): PeerSelf;
  /** `undefined`: not known. */
  incarnationOf(node: number): number | undefined;
  /**
   * Judges who dials. It was this node that was meant, and there is a common version. Must not throw or reject. Bound: what is left of
   * `greetingMs`, after which the dialer is gone.
   */
  judgeGreeting(greeting: Greeting, origin: PeerOrigin): PeerJudgement | Promise<PeerJudgement>;
  /** Judges each sound answer of `node`, whatever its verdict; see `usualAdvice`. */
  judgeAnswer(answer: Greeting, node: number, origin: PeerOrigin): AnswerAdvice;
}

/**
 * What docs/format/peer-handshake.md says about each verdict. A verdict that stops a node counts only from a peer of its own cluster over a
 * connection that is trusted: that is for the policy to know.
 */
export function usualAdvice(verdict: PeerVerdict): AnswerAdvice {
  switch (verdict) {
    case 'accepted':
      return 'proceed';
    case 'no-cluster':
      return 'retry';
    case 'other-cluster':
    case 'no-member':
    case 'other-node':
    case 'no-common-version':
      return 'retry-slowly';
    case 'other-directory':
    case 'set-back':
    case 'removed':
      return 'stop';
  }
}
