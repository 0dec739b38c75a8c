/**
 * A cluster of protocol 2 in a few lines, on connections in memory: what the real client talks to in these tests. It answers with what a test
 * says its nodes are; arithmetic and data are the server's own business.
 */

import { type Client, connect, type JsonDocument } from '@kayadb/client';
import {
  answerHello,
  assertNever,
  decodeRequest,
  decodeRequest2,
  decodeRequestHeader2,
  type DecodedRequest2,
  decodeUtf8,
  encodeResponse,
  encodeResponse2,
  encodeUtf8,
  type Refusal2,
  type Response2,
} from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';

import type { KayactlIo } from '../src/io.ts';
import { type Network, ServedConnection } from './served-connection.ts';

/** What a node says: a document, or why it does not. */
type Said = JsonDocument | Refusal2;

export interface ScriptedNode {
  status: JsonDocument;
  members: JsonDocument;
}

export class ClusterServer {
  /** By port. Nobody listens at another one. */
  readonly nodes = new Map<number, ScriptedNode>();
  /** In the order they came, as `7379 members`. */
  readonly log: string[] = [];
  /** Requests as they were understood. */
  readonly requests: DecodedRequest2[] = [];
  /** What changes of the membership are answered with. */
  change: (request: DecodedRequest2) => Said = () => ({});
  operatorToken: string | undefined;
  /** Called in front of each answer. */
  onRequest: (request: DecodedRequest2) => void = () => {};

  /** The real client, over this cluster instead of TCP. Retries do not wait. */
  readonly connect: KayactlIo['connect'] = (endpoints, options): Client =>
    connect(endpoints, {
      ...options,
      clock: new VirtualClock(),
      network: this.#network,
      retry: { attempts: 2, redirects: 2, backoffBaseMs: 0, backoffCapMs: 0 },
    });

  readonly #network: Network = {
    dial: ({ host, port }) => {
      if (!this.nodes.has(port)) return Promise.reject(new Error('connection refused'));
      const talk = new Talk(this, port);
      return Promise.resolve(new ServedConnection({ host, port }, (frame) => talk.answer(frame)));
    },
    listen: () => Promise.reject(new Error('this network only dials')),
  };

  answer(port: number, request: DecodedRequest2, hasOperator: boolean): Response2 {
    const node = this.nodes.get(port);
    if (node === undefined) return refusal('KAYA_STOPPING', 'the node is being stopped');
    if (request.kind !== 'auth') {
      this.log.push(`${port} ${request.kind}`);
      this.requests.push(request);
    }
    this.onRequest(request);
    switch (request.kind) {
      case 'auth':
      case 'close-session':
        return { kind: 'done' };
      case 'health':
        return { kind: 'health', role: 'leader', leaderAddress: undefined };
      case 'status':
        return text(node.status);
      case 'members':
        return text(node.members);
      case 'open-session':
        return { kind: 'session', session: 5, expiryMs: 3_600_000 };
      case 'write':
        return { kind: 'written', answer: { revision: 1207, term: 3, failed: undefined } };
      case 'scan': {
        const rows = [{ key: encodeUtf8('k'), value: encodeUtf8('v'), revision: 9 }];
        return { kind: 'page', page: { revision: 9, isLast: true, isWithoutValues: false, rows } };
      }
      case 'add-member':
      case 'promote-member':
      case 'remove-member':
      case 'transfer-leader':
        if (this.operatorToken !== undefined && !hasOperator) {
          return refusal('KAYA_ACCESS_DENIED', 'operator credential required or invalid');
        }
        return text(this.change(request));
      case 'cancel':
      case 'end-scan':
      case 'get':
      case 'get-many':
      case 'more':
      case 'touch-session':
      case 'unsupported':
        return refusal('KAYA_UNSUPPORTED', `no answer to ${request.kind}`);
      default:
        return assertNever(request, 'request');
    }
  }
}

export function refusal(code: string, message: string): Refusal2 {
  return { kind: 'refused', code, message, outcome: 'not-done', leaderAddress: undefined };
}

function text(said: Said): Response2 {
  return isRefusal(said) ? said : { kind: 'text', text: JSON.stringify(said) };
}

function isRefusal(said: Said): said is Refusal2 {
  return 'kind' in said && said['kind'] === 'refused';
}

/** What is known of one connection: whether it is in version 2 yet, and what was shown on it. */
class Talk {
  readonly #server: ClusterServer;
  readonly #port: number;
  #isGreeted = false;
  #hasOperator = false;

  constructor(server: ClusterServer, port: number) {
    this.#server = server;
    this.#port = port;
  }

  answer(frame: Uint8Array): Uint8Array {
    if (!this.#isGreeted) {
      const hello = decodeRequest(frame);
      if (hello.kind !== 'hello') throw new TypeError(`expected a HELLO, got ${hello.kind}`);
      this.#isGreeted = true;
      const { response } = answerHello(hello.version, { isFirstRequest: true, highest: 2 });
      return encodeResponse(response);
    }
    const { id } = decodeRequestHeader2(frame);
    const request = decodeRequest2(frame);
    if (request.kind === 'auth' && request.role === 'operator') {
      this.#hasOperator = decodeUtf8(request.token) === this.#server.operatorToken;
    }
    return encodeResponse2(id, this.#server.answer(this.#port, request, this.#hasOperator));
  }
}
