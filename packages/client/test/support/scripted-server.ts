/**
 * A server that answers as a test tells it to, on any network. Without a script it is a store in a map that
 * applies requests in the order they come.
 */

import {
  compareBytes,
  type DecodedRequest,
  decodeRequest,
  encodeResponse,
  FrameDecoder,
  type Response,
  type ScanItem,
  startsWith,
} from '@kayadb/codec';
import type { Connection, Listener, Network } from '@kayadb/transport';

/** What a test makes of a request: an answer, the store's own answer, silence, or the end of the connection. */
export type Reaction = Response | 'store' | 'silence' | 'cut' | 'store-and-cut' | 'garbage';

export type Script = (request: DecodedRequest, count: number) => Reaction;

/** As the engine's: docs/format/wal.md. */
const MAX_KEY_BYTES = 4096;

export class ScriptedServer {
  /** Every request that came, in order, over all connections. */
  readonly requests: DecodedRequest[] = [];
  readonly connections: Connection[] = [];
  readonly store = new Map<string, Uint8Array>();
  /** Answers to a scan hold at most this many items. */
  maxScanItems = Number.MAX_SAFE_INTEGER;
  script: Script = () => 'store';
  readonly #held: (() => void)[] = [];
  #isHolding = false;
  #listener: Listener | undefined;

  static async open(network: Network, port = 7379): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    server.#listener = await network.listen({
      host: '127.0.0.1',
      port,
      limits: { firstByteMs: 0, idleMs: 0 },
      onConnection: (connection) => server.#serve(connection),
    });
    return server;
  }

  get port(): number {
    return this.#listener?.address.port ?? 0;
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    for (const connection of this.connections) connection.destroy();
  }

  get kinds(): string[] {
    return this.requests.map(({ kind }) => kind);
  }

  /** From now on answers wait for `releaseAnswers`. */
  holdAnswers(): void {
    this.#isHolding = true;
  }

  releaseAnswers(): void {
    this.#isHolding = false;
    for (const send of this.#held.splice(0)) send();
  }

  #serve(connection: Connection): void {
    this.connections.push(connection);
    const decoder = new FrameDecoder();
    connection.onData((chunk) => {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        const request = decodeRequest(frame);
        this.requests.push(request);
        this.#react(this.script(request, this.requests.length), request, connection);
      }
    });
  }

  #react(reaction: Reaction, request: DecodedRequest, connection: Connection): void {
    if (reaction === 'silence') return;
    if (reaction === 'store-and-cut') this.#apply(request);
    if (reaction === 'cut' || reaction === 'store-and-cut') {
      connection.destroy();
      return;
    }
    const garbage = Uint8Array.of(3, 0, 0, 0, 0, 0, 7);
    const bytes =
      reaction === 'garbage' ? garbage : encodeResponse(reaction === 'store' ? this.#apply(request) : reaction);
    if (this.#isHolding) this.#held.push(() => connection.send(bytes));
    else connection.send(bytes);
  }

  #apply(request: DecodedRequest): Response {
    if (request.kind === 'put' && (request.key.length === 0 || request.key.length > MAX_KEY_BYTES)) {
      return { kind: 'invalid-argument', message: `a key has 1 to ${MAX_KEY_BYTES} bytes` };
    }
    switch (request.kind) {
      case 'put':
        this.store.set(toHex(request.key), request.value.slice());
        return { kind: 'done' };
      case 'transfer-leader':
        return { kind: 'done' };
      case 'delete':
        this.store.delete(toHex(request.key));
        return { kind: 'done' };
      case 'get': {
        const value = this.store.get(toHex(request.key));
        return value === undefined ? { kind: 'not-found' } : { kind: 'value', value };
      }
      case 'scan':
        return this.#scan(request.prefix);
      case 'hello':
        return { kind: 'version', version: 1 };
      case 'health':
        return { kind: 'role', role: 'leader' };
      case 'stats':
        return { kind: 'text', text: '{"put_count":1}' };
      case 'add-member':
      case 'remove-member':
      case 'promote-learner':
        return { kind: 'text', text: 'proposed' };
      case 'unsupported':
        return { kind: 'error', message: 'not served' };
    }
  }

  #scan(prefix: Uint8Array): Response {
    const items: ScanItem[] = [...this.store]
      .map(([hex, value]) => ({ key: new Uint8Array(Buffer.from(hex, 'hex')), value }))
      .filter(({ key }) => startsWith(key, prefix))
      .toSorted((a, b) => compareBytes(a.key, b.key));
    if (items.length <= this.maxScanItems) return { kind: 'items', items };
    return {
      kind: 'invalid-argument',
      message: `scan too large: over ${this.maxScanItems} items; use a longer prefix`,
    };
  }
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
