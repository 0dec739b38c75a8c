/**
 * A small cluster of version 2 in memory: one machine that all nodes share, a leader that moves, and a script that says what becomes of each request.
 * Without a script it serves as a cluster in good health.
 */

import {
  answerHello,
  compareBytes,
  decodeRequest,
  decodeRequest2,
  decodeRequestHeader2,
  type DecodedRequest2,
  encodeResponse,
  encodeResponse2,
  FrameDecoder,
  type Page,
  type Refusal2,
  type Response2,
  type RowRange,
  type ScanRequest2,
} from '@kayadb/codec';
import type { Connection, Listener, Network } from '@kayadb/transport';

import { Machine, type MachineRow } from './machine.ts';

/**
 * What a test makes of a request.
 * - `serve`: does it and answers. - `silence`: neither. - `silent-serve`: does it, never answers.
 * - `cut`: breaks the connection instead. - `serve-and-cut`: does it, breaks the connection.
 * - `hold`: does it; answers when `release` is called. - A response: that, without doing it.
 */
export type Reaction2 = 'serve' | 'silence' | 'silent-serve' | 'cut' | 'serve-and-cut' | 'hold' | 'garbage' | Response2;

export interface SeenRequest {
  readonly node: number;
  readonly id: number;
  readonly deadlineMs: number;
  readonly request: DecodedRequest2;
}

export type Script2 = (seen: SeenRequest, count: number) => Reaction2;

export interface ScriptedClusterOptions {
  readonly nodes?: number;
  /** Of the first node; the others have the next ones. */
  readonly firstPort?: number;
  readonly clientToken?: string;
  readonly operatorToken?: string;
  /** Rows of a page when the client leaves it open. */
  readonly pageRows?: number;
  readonly expiryMs?: number;
  /** Nodes that know version 1 only. */
  readonly isOld?: boolean;
}

interface OpenScan {
  readonly rows: readonly MachineRow[];
  readonly revision: number;
  readonly request: ScanRequest2;
  at: number;
}

interface Talk {
  readonly node: number;
  readonly connection: Connection;
  readonly scans: Map<number, OpenScan>;
  readonly roles: Set<string>;
}

const FIRST_PORT = 7001;

export class ScriptedCluster {
  readonly machine = new Machine();
  /** Every request of version 2, in order, over all connections. */
  readonly seen: SeenRequest[] = [];
  readonly connections: Connection[] = [];
  script: Script2 = () => 'serve';
  /** Index of the node that leads; undefined: none does. */
  leader: number | undefined = 0;
  /** What a node that does not lead says about who does; the truth, by default. */
  hint: (node: number) => number | undefined = () => this.leader;
  term = 1;
  readonly addresses: string[] = [];
  readonly #options: ScriptedClusterOptions;
  readonly #held: (() => void)[] = [];
  readonly #listeners: Listener[] = [];

  private constructor(options: ScriptedClusterOptions) {
    this.#options = options;
  }

  static async open(network: Network, options: ScriptedClusterOptions = {}): Promise<ScriptedCluster> {
    const cluster = new ScriptedCluster(options);
    for (let node = 0; node < (options.nodes ?? 1); node++) {
      const port = (options.firstPort ?? FIRST_PORT) + node;
      cluster.#listeners.push(await cluster.#listen(network, node, port));
      cluster.addresses.push(`127.0.0.1:${port}`);
    }
    return cluster;
  }

  static portOf(node: number): number {
    return FIRST_PORT + node;
  }

  get kinds(): string[] {
    return this.seen.map(({ request }) => request.kind);
  }

  /** Writes that came, done or not, however often. */
  get writes(): readonly SeenRequest[] {
    return this.seen.filter(({ request }) => request.kind === 'write');
  }

  /** The node is gone, and nobody answers there any more. */
  async stopNode(node: number, network: { cut(port: number): void }): Promise<void> {
    await this.#listeners[node]?.close();
    network.cut(FIRST_PORT + node);
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  /** Sends the answers that were held. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  #listen(network: Network, node: number, port: number): Promise<Listener> {
    return network.listen({
      host: '127.0.0.1',
      port,
      limits: { firstByteMs: 0, idleMs: 0 },
      onConnection: (connection) => this.#serve(node, connection),
    });
  }

  #serve(node: number, connection: Connection): void {
    this.connections.push(connection);
    const talk: Talk = { node, connection, scans: new Map(), roles: new Set() };
    const decoder = new FrameDecoder();
    let version = 1;
    let isFirst = true;
    connection.onData((chunk) => {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        if (version === 2) {
          this.#handle(talk, frame);
          continue;
        }
        const request = decodeRequest(frame);
        if (request.kind !== 'hello') throw new Error(`a request ${request.kind} of version 1`);
        const highest = this.#options.isOld === true ? 1 : 2;
        const { response, next } = answerHello(request.version, { isFirstRequest: isFirst, highest });
        isFirst = false;
        version = next;
        connection.send(encodeResponse(response));
      }
    });
  }

  #handle(talk: Talk, frame: Uint8Array): void {
    const { id, deadlineMs } = decodeRequestHeader2(frame);
    const request = decodeRequest2(frame);
    const seen: SeenRequest = { node: talk.node, id, deadlineMs, request };
    this.seen.push(seen);
    const reaction = this.script(seen, this.seen.length);
    if (reaction === 'silence') return;
    if (reaction === 'cut') {
      talk.connection.destroy();
      return;
    }
    if (reaction === 'garbage') {
      talk.connection.send(Uint8Array.of(5, 0, 0, 0, id & 0xff, 0, 0, 0, 77));
      return;
    }
    const response = typeof reaction === 'object' ? reaction : this.#answer(talk, id, request);
    if (reaction === 'serve-and-cut') talk.connection.destroy();
    else if (reaction === 'hold') this.#held.push(() => talk.connection.send(encodeResponse2(id, response)));
    else if (reaction !== 'silent-serve') talk.connection.send(encodeResponse2(id, response));
  }

  #answer(talk: Talk, id: number, request: DecodedRequest2): Response2 {
    const isLeader = talk.node === this.leader;
    const { clientToken, operatorToken } = this.#options;
    const isFree = request.kind === 'auth' || request.kind === 'health' || request.kind === 'cancel';
    if (!isFree && clientToken !== undefined && !talk.roles.has('client')) return refusal('KAYA_ACCESS_DENIED');
    switch (request.kind) {
      case 'auth': {
        const expected = request.role === 'client' ? clientToken : operatorToken;
        if (expected !== undefined && Buffer.from(request.token).toString() !== expected) {
          return refusal('KAYA_ACCESS_DENIED');
        }
        talk.roles.add(request.role);
        return { kind: 'done' };
      }
      case 'cancel':
      case 'end-scan':
        if (request.kind === 'end-scan') talk.scans.delete(request.scan);
        return { kind: 'done' };
      case 'health':
        return {
          kind: 'health',
          role: isLeader ? 'leader' : 'follower',
          leaderAddress: this.#addressOfLeader(talk.node),
        };
      case 'get':
        if (request.freshness.kind === 'lease' && !isLeader) return this.#notLeader(talk.node);
        return { kind: 'row', row: this.#row(request.key) };
      case 'get-many':
        return { kind: 'rows', rows: request.keys.map((key) => this.#row(key)) };
      case 'scan': {
        const rows = select(this.machine.sorted(), request);
        const scan: OpenScan = { rows, revision: this.machine.index, request, at: 0 };
        return this.#page(talk, id, scan);
      }
      case 'more': {
        const scan = talk.scans.get(request.scan);
        return scan === undefined ? refusal('KAYA_SCAN_ENDED') : this.#page(talk, request.scan, scan);
      }
      case 'status':
      case 'members':
        return { kind: 'text', text: JSON.stringify({ node: talk.node + 1, asked: request.kind }) };
      case 'open-session':
      case 'touch-session':
      case 'close-session':
      case 'write':
      case 'add-member':
      case 'promote-member':
      case 'remove-member':
      case 'transfer-leader':
      case 'unsupported':
        return isLeader ? this.#lead(talk, request) : this.#notLeader(talk.node);
    }
  }

  #lead(talk: Talk, request: DecodedRequest2): Response2 {
    const { machine } = this;
    const { operatorToken, expiryMs = 3_600_000 } = this.#options;
    if (request.kind === 'open-session') {
      const session = machine.openSession();
      return { kind: 'session', session, expiryMs: request.expiryMs === 0 ? expiryMs : request.expiryMs };
    }
    if (request.kind === 'touch-session') {
      return machine.sessions.has(request.session) ? { kind: 'done' } : refusal('KAYA_SESSION_EXPIRED');
    }
    if (request.kind === 'close-session') {
      machine.sessions.delete(request.session);
      return { kind: 'done' };
    }
    if (request.kind === 'write') {
      const result = machine.write(request.write, this.term);
      if (result === 'expired') return refusal('KAYA_SESSION_EXPIRED');
      return typeof result === 'string' ? refusal('KAYA_STALE_SERIAL') : { kind: 'written', answer: result };
    }
    if (operatorToken !== undefined && !talk.roles.has('operator')) return refusal('KAYA_ACCESS_DENIED');
    return { kind: 'text', text: JSON.stringify({ did: request.kind }) };
  }

  #page(talk: Talk, id: number, scan: OpenScan): Response2 {
    const { request } = scan;
    const most = request.pageRows > 0 ? request.pageRows : (this.#options.pageRows ?? 1000);
    const rows = scan.rows.slice(scan.at, scan.at + most);
    scan.at += rows.length;
    const isLast = scan.at >= scan.rows.length;
    if (isLast) talk.scans.delete(id);
    else talk.scans.set(id, scan);
    const page: Page = { revision: scan.revision, isLast, isWithoutValues: request.isWithoutValues, rows };
    return { kind: 'page', page };
  }

  #row(key: Uint8Array): { readonly value: Uint8Array; readonly revision: number } | undefined {
    const row = this.machine.rows.get(Buffer.from(key).toString('hex'));
    return row === undefined ? undefined : { value: row.value, revision: row.revision };
  }

  #addressOfLeader(node: number): string | undefined {
    const leader = this.hint(node);
    return leader === undefined ? undefined : this.addresses[leader];
  }

  #notLeader(node: number): Refusal2 {
    return { ...refusal('KAYA_NOT_LEADER'), leaderAddress: this.#addressOfLeader(node) };
  }
}

export function refusal(code: string, outcome: Refusal2['outcome'] = 'not-done'): Refusal2 {
  return { kind: 'refused', code, outcome, message: `scripted ${code}`, leaderAddress: undefined };
}

function select(sorted: readonly MachineRow[], { range, isDescending, limit }: ScanRequest2): readonly MachineRow[] {
  const within = sorted.filter(({ key }) => isWithin(key, range));
  const ordered = isDescending ? within.toReversed() : within;
  return limit === 0 ? ordered : ordered.slice(0, limit);
}

function isWithin(key: Uint8Array, { from, isFromExclusive, to, isToInclusive }: RowRange): boolean {
  const low = compareBytes(key, from);
  if (low < 0 || (low === 0 && isFromExclusive)) return false;
  if (to.length === 0) return true;
  const high = compareBytes(key, to);
  return high < 0 || (high === 0 && isToInclusive);
}
