/**
 * A client: it looks for the leader, says a write of a session again and again until it is heard, at whichever node, and tells what became of it. What the real client does over the wire, with
 * what it has of the protocol's promises: exactly once, or a typed error.
 */

import {
  decodeUtf8,
  encodeUtf8,
  type Freshness,
  type Write,
  type WriteAnswer,
  type WriteOperation,
} from '@kayadb/codec';
import { type Replica, ReplicaError } from '@kayadb/server/testing';
import type {
  Change,
  Condition,
  ReadAction,
  ReadOutcome,
  SeededRandom,
  StoreClient,
  WriteAction,
  WriteOutcome,
} from '@kayadb/testkit';

import { ClientRoad } from './client-road.ts';
import type { ServerCluster } from './server-cluster.ts';
import type { ServerSite } from './server-site.ts';
import type { ServerWorld } from './server-world.ts';

/** Bound: how long one operation may take. */
const OPERATION_MS = 9000;
const CALL_MS = { from: 400, to: 2500 };
const RETRY_MS = 150;
/** Share of calls that go to whom the client takes for the leader. */
const TO_LEADER = 0.75;
const MAX_READ_BYTES = 1_000_000;
/** Share of refusals that a client without a session takes for the last word. */
const BELIEVES = 0.5;
const BALLAST_KEYS = 40;
/** Share of writes that put something beside what they are about. */
const BALLAST_SHARE = 0.6;

interface Session {
  readonly id: number;
  serial: number;
}

export class SimClient implements StoreClient {
  readonly #world: ServerWorld;
  readonly #cluster: ServerCluster;
  readonly #random: SeededRandom;
  readonly #road: ClientRoad;
  readonly #hasSessions: boolean;
  #session: Session | undefined;
  #leader: ServerSite | undefined;

  constructor(world: ServerWorld, cluster: ServerCluster, random: SeededRandom, hasSessions: boolean) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = random;
    this.#road = new ClientRoad(world, random);
    this.#hasSessions = hasSessions;
  }

  async read(action: ReadAction): Promise<ReadOutcome> {
    const freshness: Freshness = this.#random.chance(0.5) ? { kind: 'lease' } : { kind: 'linearizable' };
    const keys = action.keys.map((key) => encodeUtf8(key));
    for (const endMs = this.#nowMs + OPERATION_MS; this.#nowMs < endMs;) {
      try {
        const rows = await this.#call((replica) =>
          replica.read(freshness, () => replica.getMany(keys, MAX_READ_BYTES)),
        );
        if (rows === 'too-large') throw new RangeError('the rows are too large');
        const seen = rows.map((row) =>
          row === undefined ? null : { value: decodeUtf8(row.value), revision: row.revision },
        );
        return { kind: 'rows', rows: seen };
      } catch (error) {
        this.#judge(error);
      }
      await this.#road.sleep(this.#random.next() * 2 * RETRY_MS);
    }
    return { kind: 'not-done', reason: 'nobody answers' };
  }

  write(action: WriteAction): Promise<WriteOutcome> {
    return this.writeAs(action, action.changes.map(toOperation));
  }

  /** @param operations - What does the changes of `action`. */
  writeAs({ conditions, otherwise }: WriteAction, operations: readonly WriteOperation[]): Promise<WriteOutcome> {
    const write: Write = {
      conditions: conditions.map(toCondition),
      operations: [...operations, ...this.#ballast()],
      otherwise: otherwise.map(toOperation),
    };
    return this.#hasSessions ? this.#writeOnce(write) : this.#writePlainly(write);
  }

  /** Said once more whenever nobody knows: it is done once. */
  async #writeOnce(write: Write): Promise<WriteOutcome> {
    const endMs = this.#nowMs + OPERATION_MS;
    const session = await this.#openSession(endMs);
    if (session === undefined) return { kind: 'not-done', reason: 'there is no session' };
    const serial = session.serial++;
    const placed = { ...write, place: { session: session.id, serial, settled: serial } };
    let mayBeDone = false;
    let hasAsked = false;
    while (this.#nowMs < endMs) {
      if (hasAsked) this.#world.counts.retried++;
      hasAsked = true;
      try {
        const answer = await this.#call((replica) => replica.write(placed));
        if (mayBeDone) this.#world.counts.repeated++;
        return this.#written(answer);
      } catch (error) {
        const code = this.#judge(error);
        if (code === 'KAYA_STALE_SERIAL') {
          this.#world.checks.fail(
            'sessions',
            `write ${serial} of session ${session.id} was told to be heard, and was not`,
          );
        }
        if (code === 'KAYA_SESSION_EXPIRED') {
          this.#session = undefined;
          this.#noteExpired(session);
          return mayBeDone ? this.#unknown('the session is over') : { kind: 'not-done', reason: 'the session is over' };
        }
        mayBeDone ||= code === undefined || code === 'KAYA_UNKNOWN_OUTCOME';
      }
      await this.#road.sleep(this.#random.next() * 2 * RETRY_MS);
    }
    return mayBeDone ? this.#unknown('nobody answers') : { kind: 'not-done', reason: 'nobody takes it' };
  }

  /** Without a session nothing may be said twice. Who is told that it was not done says it again, or believes it: then it must never be seen. */
  async #writePlainly(write: Write): Promise<WriteOutcome> {
    const endMs = this.#nowMs + OPERATION_MS;
    while (this.#nowMs < endMs) {
      try {
        return this.#written(await this.#call((replica) => replica.write(write)));
      } catch (error) {
        const code = this.#judge(error);
        if (code === undefined || code === 'KAYA_UNKNOWN_OUTCOME') return this.#unknown('nobody answers');
        if (this.#random.chance(BELIEVES)) return { kind: 'not-done', reason: 'it was refused' };
      }
      await this.#road.sleep(this.#random.next() * 2 * RETRY_MS);
    }
    return { kind: 'not-done', reason: 'nobody takes it' };
  }

  async #openSession(endMs: number): Promise<Session | undefined> {
    const { sessionMs } = this.#world.profile;
    while (this.#session === undefined && this.#nowMs < endMs) {
      try {
        const { session } = await this.#call((replica) => replica.openSession(sessionMs));
        this.#session = { id: session, serial: 1 };
      } catch (error) {
        this.#judge(error);
        await this.#road.sleep(this.#random.next() * 2 * RETRY_MS);
      }
    }
    return this.#session;
  }

  #written({ revision, failed }: WriteAnswer): WriteOutcome {
    this.#world.counts.written++;
    return { kind: 'written', revision, ...(failed === undefined ? {} : { failed }) };
  }

  #unknown(reason: string): WriteOutcome {
    this.#world.counts.unknown++;
    return { kind: 'unknown', reason };
  }

  /** A session that lives for an hour ends within a run only where clocks jump. */
  #noteExpired({ id }: Session): void {
    const { profile, counts, checks } = this.#world;
    counts.expired++;
    const runs = 600_000;
    if (profile.sessionMs > runs && !profile.faults.includes('clock-jump')) {
      checks.fail('sessions', `session ${id} ended before its time`);
    }
  }

  async #call<T>(run: (replica: Replica) => Promise<T>): Promise<T> {
    const site = this.#pickSite();
    const timeoutMs = CALL_MS.from + this.#random.next() * (CALL_MS.to - CALL_MS.from);
    try {
      const value = await this.#road.call(site, timeoutMs, ({ replica }) => run(replica));
      this.#leader = site;
      return value;
    } catch (error) {
      this.#leader = leaderIn(error, this.#cluster);
      throw error;
    }
  }

  #pickSite(): ServerSite {
    const { stale, sites } = this.#cluster;
    if (stale !== undefined && this.#random.chance(0.3)) return stale;
    if (this.#leader !== undefined && this.#random.chance(TO_LEADER)) return this.#leader;
    return this.#random.pick(sites);
  }

  /** @returns The code; undefined when nobody answered. What should not have come is a break. */
  #judge(error: unknown): string | undefined {
    if (error instanceof ReplicaError) return error.code;
    if (!(error instanceof Error) || error.name !== 'LostError') {
      this.#world.checks.fail('clients', `a client was told ${String(error)}`);
    }
    return undefined;
  }

  #ballast(): readonly WriteOperation[] {
    const random = this.#random;
    if (!random.chance(BALLAST_SHARE)) return [];
    const key = encodeUtf8(`pad/${random.int(BALLAST_KEYS)}`);
    const dice = random.int(10);
    if (dice === 0) return [{ kind: 'delete', key }];
    if (dice === 1) return [{ kind: 'delete-range', from: key, to: encodeUtf8(`pad/${random.int(BALLAST_KEYS)}`) }];
    return [{ kind: 'put', key, value: random.bytes(1 + random.int(this.#world.profile.ballastBytes)) }];
  }

  get #nowMs(): number {
    return this.#world.timeline.nowMs;
  }
}

/** Whom the error names as the leader. */
function leaderIn(error: unknown, cluster: ServerCluster): ServerSite | undefined {
  const address = error instanceof ReplicaError ? error.leaderAddress : undefined;
  const id = address === undefined ? undefined : /^10\.0\.0\.(\d+):/u.exec(address)?.[1];
  return id === undefined ? undefined : cluster.find(Number(id));
}

function toOperation(change: Change): WriteOperation {
  const key = encodeUtf8(change.key);
  return change.kind === 'put' ? { kind: 'put', key, value: encodeUtf8(change.value) } : { kind: 'delete', key };
}

function toCondition(condition: Condition): Write['conditions'][number] {
  const key = encodeUtf8(condition.key);
  switch (condition.kind) {
    case 'exists':
      return { kind: 'exists', key, exists: condition.exists };
    case 'value':
      return { kind: 'value', key, value: encodeUtf8(condition.value) };
    case 'revision':
      return { kind: 'revision', key, revision: condition.revision };
  }
}
