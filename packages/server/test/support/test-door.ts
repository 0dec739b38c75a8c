/** The client's door of a node that is a member of a group, on an in-memory network and a clock that the test moves. */

import { encodeUtf8, type Request2, type Write, type WriteOperation } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork, type MemoryNetworkOptions } from '@kayadb/transport/testing';

import { ClientDoor } from '../../src/client-door.ts';
import { resolveLimits, type ServerLimits } from '../../src/limits.ts';
import type { MembershipOperations, PlannedChange } from '../../src/membership/membership-operations.ts';
import { type MembershipChange, type MemberView, planChange } from '../../src/membership/plan-change.ts';
import { NodeOperations } from '../../src/operations-2/node-operations.ts';
import type { NodeReports } from '../../src/operations-2/node-reports.ts';
import { ReplicaV1Operations } from '../../src/operations-2/replica-v1-operations.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { MemoryReplica } from './memory-replica.ts';
import { RawClient2 } from './raw-client-2.ts';
import { RawClient } from './raw-client.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';

export const LEADER_ADDRESS = 'n1.example:7379';

export class TestMembership implements MembershipOperations {
  members: readonly MemberView[] = [1, 2, 3].map((node) => ({ node, isVoter: node < 3, isAnswering: true }));
  readonly calls: unknown[] = [];
  failure: Error | undefined;

  add(member: Parameters<MembershipOperations['add']>[0], options: { isDryRun: boolean }): Promise<PlannedChange> {
    return this.#change({ kind: 'add', node: member.node }, options, member);
  }

  promote(node: number, options: { isDryRun: boolean }): Promise<PlannedChange> {
    return this.#change({ kind: 'promote', node }, options);
  }

  remove(node: number, options: { isDryRun: boolean }): Promise<PlannedChange> {
    return this.#change({ kind: 'remove', node }, options);
  }

  async transfer(node: number): Promise<number> {
    this.calls.push({ kind: 'transfer', node });
    if (this.failure !== undefined) throw this.failure;
    return node === 0 ? 2 : node;
  }

  async #change(change: MembershipChange, { isDryRun }: { isDryRun: boolean }, more = {}): Promise<PlannedChange> {
    this.calls.push({ ...change, isDryRun, ...more });
    if (this.failure !== undefined) throw this.failure;
    const plan = planChange(this.members, change);
    return { plan, index: isDryRun || plan.refusal !== undefined ? undefined : 17 };
  }
}

export interface TestDoorOptions {
  readonly clientToken?: string;
  readonly operatorToken?: string;
  readonly limits?: Partial<ServerLimits>;
  readonly nextChunkBytes?: MemoryNetworkOptions['nextChunkBytes'];
  /** In place of the one in memory. */
  readonly replica?: Replica;
}

export interface TestDoor extends AsyncDisposable {
  readonly door: ClientDoor;
  readonly replica: MemoryReplica;
  readonly membership: TestMembership;
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly log: readonly LogLine[];
  readonly failures: readonly Error[];
  role: ReturnType<NodeReports['role']>;
  /** In version 2, with the HELLO sent. */
  connect(host?: string): Promise<RawClient2>;
  /** In version 1. */
  connect1(host?: string): Promise<RawClient>;
}

export async function startTestDoor(options: TestDoorOptions = {}): Promise<TestDoor> {
  const { nextChunkBytes, clientToken, operatorToken } = options;
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, ...(nextChunkBytes === undefined ? {} : { nextChunkBytes }) });
  const replica = new MemoryReplica();
  const membership = new TestMembership();
  const limits = resolveLimits(options.limits);
  const log: LogLine[] = [];
  const failures: Error[] = [];
  const reports: NodeReports = {
    role: () => world.role,
    leaderAddress: () => LEADER_ADDRESS,
    status: () => '{"status":1}',
    members: () => '{"members":[]}',
    stats: () => '{"stats":1}',
  };
  const operations2 = new NodeOperations({ replica: options.replica ?? replica, membership, reports, limits });
  const door = new ClientDoor({
    operations: new ReplicaV1Operations({ operations: operations2, clock, limits }),
    operations2,
    network,
    clock,
    logger: recordingLogger(log),
    address: { host: '127.0.0.1', port: 0 },
    clientToken,
    operatorToken,
    limits,
    onFailed: (cause) => failures.push(cause),
  });
  await door.listen();
  const dial = (host = '127.0.0.1') => network.from(host).dial({ ...door.address, timeoutMs: 1_000 });
  const world: TestDoor = {
    door,
    replica,
    membership,
    clock,
    network,
    log,
    failures,
    role: 'leader',
    connect: async (host) => new RawClient2(await dial(host)),
    connect1: async (host) => new RawClient(await dial(host)),
    [Symbol.asyncDispose]: async () => {
      const stopping = door.stop(1_000);
      await clock.advanceAsync(10_000);
      await stopping;
    },
  };
  return world;
}

export const LINEARIZABLE = { kind: 'linearizable' } as const;

export function get(key: string): Request2 {
  return { kind: 'get', freshness: LINEARIZABLE, key: encodeUtf8(key) };
}

export function getMany(...keys: readonly string[]): Request2 {
  return { kind: 'get-many', freshness: LINEARIZABLE, keys: keys.map((key) => encodeUtf8(key)) };
}

export function putOperation(key: string, value: string | Uint8Array): WriteOperation {
  return { kind: 'put', key: encodeUtf8(key), value: typeof value === 'string' ? encodeUtf8(value) : value };
}

export function write(changes: Partial<Write>): Request2 {
  return { kind: 'write', write: { conditions: [], operations: [], otherwise: [], ...changes } };
}

export function put(key: string, value: string | Uint8Array): Request2 {
  return write({ operations: [putOperation(key, value)] });
}

export function scan(changes: Partial<Extract<Request2, { kind: 'scan' }>> = {}): Request2 {
  const none = new Uint8Array(0);
  return {
    kind: 'scan',
    freshness: LINEARIZABLE,
    range: { from: none, isFromExclusive: false, to: none, isToInclusive: false },
    isDescending: false,
    isWithoutValues: false,
    limit: 0,
    pageBytes: 0,
    pageRows: 0,
    ...changes,
  };
}

export function auth(role: 'client' | 'operator', token: string): Request2 {
  return { kind: 'auth', role, token: encodeUtf8(token) };
}

export function addMember(node: number, isDryRun = false): Request2 {
  const addresses = { peerAddress: 'n4.example:7481', clientAddress: 'n4.example:7379' };
  return { kind: 'add-member', node, ...addresses, isDryRun, staysLearner: false };
}
