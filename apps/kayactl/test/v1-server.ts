/**
 * A server of protocol v1 in a few lines, on connections in memory: what the real client talks to in these tests.
 *
 * It decodes and answers with codec's own messages, keeps its rows in a map, and can be told to die
 * after a number of writes, to ask for a token, or to refuse large scans.
 */

import { connect } from '@kayadb/client';
import {
  assertNever,
  decodeRequest,
  decodeUtf8,
  type DecodedRequest,
  encodeResponse,
  type Response,
  SCAN_TOO_LARGE_TEXT,
  type ScanItem,
  startsWith,
} from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';

import type { KayactlIo } from '../src/io.ts';
import { type Network, ServedConnection } from './served-connection.ts';

export class V1Server {
  /** Values by key; keys as latin1 text, which sorts as the bytes do. */
  readonly #rows = new Map<string, Uint8Array>();
  /** Requests in the order they came, as `put key`. */
  readonly log: string[] = [];
  token: string | undefined;
  /** Writes that are still acknowledged; then every connection breaks and nobody connects any more. */
  writesLeft = Number.POSITIVE_INFINITY;
  /** Prefixes with more rows are refused as too large. */
  maxScanItems = Number.POSITIVE_INFINITY;
  /** Keys that the server finds wrong, whatever the client thinks. */
  refusedKey: string | undefined;

  /** The real client, over this server instead of TCP. Retries do not wait. */
  readonly connect: KayactlIo['connect'] = (endpoints, options) =>
    connect(endpoints, {
      ...options,
      protocol: 1,
      clock: new VirtualClock(),
      network: this.#network,
      retry: { backoffBaseMs: 0, backoffCapMs: 0 },
    });

  readonly #network: Network = {
    dial: ({ host, port }) => {
      if (this.writesLeft <= 0 || port === 1) return Promise.reject(new Error('connection refused'));
      return Promise.resolve(new ServedConnection({ host, port }, (frame) => this.#answerTo(frame)));
    },
    listen: () => Promise.reject(new Error('this network only dials')),
  };

  put(key: Uint8Array, value: Uint8Array): void {
    this.#rows.set(rowName(key), value.slice());
  }

  rows(): readonly ScanItem[] {
    const sorted = [...this.#rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([name, value]) => ({ key: Uint8Array.from(Buffer.from(name, 'latin1')), value }));
  }

  #answerTo(frame: Uint8Array): Uint8Array | undefined {
    const response = this.#answer(decodeRequest(frame));
    return response === undefined ? undefined : encodeResponse(response);
  }

  /** @returns `undefined` when the server has died. */
  #answer(request: DecodedRequest): Response | undefined {
    if (this.writesLeft <= 0) return undefined;
    this.log.push('key' in request ? `${request.kind} ${decodeUtf8(request.key)}` : request.kind);
    if (this.token !== undefined && request.kind !== 'health') {
      const given = 'credential' in request ? request.credential?.token : undefined;
      if (given === undefined || decodeUtf8(given) !== this.token) {
        return { kind: 'error', message: 'client credential required or invalid' };
      }
    }
    switch (request.kind) {
      case 'put':
        if (decodeUtf8(request.key) === this.refusedKey) return { kind: 'invalid-argument', message: 'not this key' };
        this.writesLeft--;
        this.put(request.key, request.value);
        return { kind: 'done' };
      case 'delete':
        this.writesLeft--;
        this.#rows.delete(rowName(request.key));
        return { kind: 'done' };
      case 'get': {
        const value = this.#rows.get(rowName(request.key));
        return value === undefined ? { kind: 'not-found' } : { kind: 'value', value };
      }
      case 'scan': {
        const items = this.rows().filter(({ key }) => startsWith(key, request.prefix));
        if (items.length > this.maxScanItems) return { kind: 'invalid-argument', message: SCAN_TOO_LARGE_TEXT };
        return { kind: 'items', items };
      }
      case 'health':
        return { kind: 'role', role: 'leader' };
      case 'stats':
        return { kind: 'text', text: JSON.stringify(STATS) };
      case 'hello':
      case 'add-member':
      case 'remove-member':
      case 'transfer-leader':
      case 'promote-learner':
      case 'unsupported':
        return { kind: 'error', message: `no answer to ${request.kind}` };
      default:
        return assertNever(request, 'request');
    }
  }
}

function rowName(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

const STATS = {
  role: 'leader',
  term: 3,
  commit_index: 41,
  applied_index: 40,
  engine: { put_count: 7, get_count: 2, get_total_us: 31, get_max_us: 20, sstable_count: 5, last_sequence: 9 },
};
