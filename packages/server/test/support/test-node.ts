/** One node on an in-memory network and a clock that the test moves. */

import { encodeUtf8, type Request } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork, type MemoryNetworkOptions } from '@kayadb/transport/testing';

import { type LogFields, type Logger, type NodeOptions, type RunningNode, startNode } from '../../src/index.ts';
import type { ServedEngine } from '../../src/served-engine.ts';
import { RawClient } from './raw-client.ts';

export const CLIENT_TOKEN = 'client-secret';
export const OPERATOR_TOKEN = 'operator-secret';

export interface LogLine extends LogFields {
  readonly level: string;
  readonly message: string;
}

export interface TestNode<Used extends ServedEngine> extends AsyncDisposable {
  readonly node: RunningNode;
  readonly engine: Used;
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly log: readonly LogLine[];
  connect(host?: string): Promise<RawClient>;
}

export interface TestNodeOptions extends Pick<NodeOptions, 'clientToken' | 'operatorToken' | 'limits'> {
  readonly nextChunkBytes?: MemoryNetworkOptions['nextChunkBytes'];
}

export async function startTestNode<Used extends ServedEngine>(
  engine: Used,
  { nextChunkBytes, ...options }: TestNodeOptions = {},
): Promise<TestNode<Used>> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, ...(nextChunkBytes === undefined ? {} : { nextChunkBytes }) });
  const log: LogLine[] = [];
  const node = await startNode({
    engine,
    network,
    clock,
    logger: recordingLogger(log),
    nodeId: 7,
    version: '0.0.0-test',
    clientAddress: { host: '127.0.0.1', port: 0 },
    ...options,
  });
  const connect = async (host = '127.0.0.1'): Promise<RawClient> =>
    new RawClient(await network.from(host).dial({ ...node.address, timeoutMs: 1_000 }));
  const dispose = async (): Promise<void> => {
    const stopping = Promise.allSettled([node.stop()]);
    await clock.advanceAsync(10_000);
    const [outcome] = await stopping;
    if (outcome.status === 'rejected') throw outcome.reason;
  };
  return { node, engine, clock, network, log, connect, [Symbol.asyncDispose]: dispose };
}

function recordingLogger(log: LogLine[]): Logger {
  const at = (level: string) => (fields: LogFields, message: string) => void log.push({ ...fields, level, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export function put(key: string, value: string | Uint8Array, token?: string): Request {
  return { kind: 'put', key: encodeUtf8(key), value: bytes(value), credential: client(token) };
}

export function get(key: string, token?: string): Request {
  return { kind: 'get', key: encodeUtf8(key), credential: client(token) };
}

export function del(key: string, token?: string): Request {
  return { kind: 'delete', key: encodeUtf8(key), credential: client(token) };
}

export function scan(prefix: string, token?: string): Request {
  return { kind: 'scan', prefix: encodeUtf8(prefix), credential: client(token) };
}

export function addMember(token?: string): Request {
  const credential = operator(token);
  return {
    kind: 'add-member',
    id: 2,
    raftAddress: '10.0.0.2:7481',
    clientAddress: '10.0.0.2:7379',
    isLearner: false,
    credential,
  };
}

export function client(token: string | undefined): { kind: 'client'; token: Uint8Array } | undefined {
  return token === undefined ? undefined : { kind: 'client', token: encodeUtf8(token) };
}

export function operator(token: string | undefined): { kind: 'operator'; token: Uint8Array } | undefined {
  return token === undefined ? undefined : { kind: 'operator', token: encodeUtf8(token) };
}

function bytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? encodeUtf8(value) : value;
}
