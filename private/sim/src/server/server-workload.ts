/** What clients of a run do: reads, writes and appends of the common workload, deletes of whole ranges, scans, and reads that may be old; everything that they are told is written down. */

import { decodeUtf8, encodeUtf8, type Freshness, type PageRow, type RowRange } from '@kayadb/codec';
import { type Replica, ReplicaError } from '@kayadb/server/testing';
import {
  type History,
  HistoryRecorder,
  type ReadOutcome,
  runWorkload,
  type SeededRandom,
  type SeenRow,
} from '@kayadb/testkit';

import { drawInterval } from '../world/profile.ts';
import { ClientRoad } from './client-road.ts';
import { type OldRead, withOldReads } from './old-reads.ts';
import type { ServerCluster } from './server-cluster.ts';
import type { ServerSite } from './server-site.ts';
import type { ServerWorld } from './server-world.ts';
import { SimClient } from './sim-client.ts';

const REGISTERS = ['a', 'b', 'c', 'd', 'e'];
const LISTS = ['list/a', 'list/b'];
const KEYS = [...REGISTERS, ...LISTS];
/** Numbers of clients beside those of the common workload. */
const SCANNER = 101;
const JANITOR = 102;
const SCAN_MS = 6000;
/** Between two parts of a scan, at the most. */
const PART_MS = 400;
const PART_BYTES = 4096;
/** Mean time between two deletes of a range. */
const RANGE_MS = 5000;
const OLD_READ_MS = 1500;
const POLL_MS = 100;

interface Range {
  readonly from: string;
  readonly to: string;
}

export class ServerWorkload {
  readonly #world: ServerWorld;
  readonly #cluster: ServerCluster;
  readonly #random: SeededRandom;
  readonly #road: ClientRoad;
  readonly #recorder: HistoryRecorder;
  readonly #clients: readonly SimClient[];
  readonly #abort = new AbortController();
  readonly #oldReads: OldRead[] = [];
  /** Revisions that were seen by reads of one life of a node, however old they may be. */
  readonly #seen = new Map<number, Map<string, number>>();
  #isQuiet = false;
  #running = 0;
  #failure: Error | undefined;

  constructor(world: ServerWorld, cluster: ServerCluster) {
    const { timeline, profile, random } = world;
    this.#world = world;
    this.#cluster = cluster;
    this.#random = random.fork('workload');
    this.#road = new ClientRoad(world, this.#random.fork('road'));
    this.#recorder = new HistoryRecorder({ now: () => timeline.nowMs });
    this.#clients = Array.from(
      { length: profile.clients + 1 },
      (_, i) => new SimClient(world, cluster, random.fork(`client ${i}`), i >= profile.plainClients),
    );
  }

  /** What a client rejected with, which none should. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Operations that have ended, so far. */
  get doneCount(): number {
    return this.#world.counts.operations;
  }

  start(): void {
    const { profile } = this.#world;
    const clients = this.#clients.slice(0, -1).map((client) => ({
      read: (action: Parameters<SimClient['read']>[0]) => this.#run(() => client.read(action)),
      write: (action: Parameters<SimClient['write']>[0]) => this.#run(() => client.write(action)),
    }));
    runWorkload({
      clients,
      recorder: this.#recorder,
      random: this.#random.fork('mix'),
      operations: Infinity,
      pause: (ms) => this.#pause(ms),
      thinkMs: profile.thinkMs,
      retryMs: 50,
      signal: this.#abort.signal,
      registers: REGISTERS,
      lists: LISTS,
    }).catch((error: unknown) => this.#fail(error));
    this.#repeat(profile.scanMs, () => this.#scan());
    this.#repeat(profile.scanMs, () => this.#readOld());
    this.#repeat(RANGE_MS, () => this.#deleteRange());
  }

  /** Nobody begins anything, until it is called again. */
  setQuiet(isQuiet: boolean): void {
    this.#isQuiet = isQuiet;
  }

  /** Nobody begins anything any more. */
  end(): void {
    this.#abort.abort();
  }

  /** What happened beside it. */
  note(text: string): void {
    this.#recorder.note(text);
  }

  /** Reads every key, as the last operations of the history. */
  async readEverything(): Promise<void> {
    const client = this.#clients.at(-1)!;
    for (const key of KEYS) {
      const action = { kind: 'read' as const, keys: [key] };
      let isRead = false;
      // Whom it asks may be gone for good.
      while (!isRead) {
        const outcome = await this.#recorder.read(JANITOR + 1, action, () => client.read(action));
        isRead = outcome.kind === 'rows';
      }
    }
  }

  /** Everything so far, with reads that may be old as if they had begun as early as they may show. */
  history(): History {
    return withOldReads(this.#recorder.history(), this.#oldReads);
  }

  #repeat(meanMs: number, act: () => Promise<void>): void {
    const { timeline } = this.#world;
    const later = (): void => {
      timeline.after(drawInterval(meanMs, this.#random), () => {
        if (this.#abort.signal.aborted) return;
        if (this.#isQuiet) {
          later();
          return;
        }
        this.#run(act).then(later, (error: unknown) => this.#fail(error));
      });
    };
    later();
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }

  async #run<T>(act: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await act();
    } finally {
      this.#running--;
      this.#world.counts.operations++;
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.#road.sleep(ms);
    while (this.#isQuiet && !this.#abort.signal.aborted) await this.#road.sleep(POLL_MS);
  }

  async #deleteRange(): Promise<void> {
    const { from, to } = this.#pickRange(REGISTERS);
    const gone = REGISTERS.filter((key) => key >= from && key < to);
    if (gone.length === 0) return;
    const changes = gone.map((key) => ({ kind: 'delete' as const, key }));
    const action = { kind: 'write' as const, conditions: [], changes, otherwise: [] };
    const range = { kind: 'delete-range' as const, from: encodeUtf8(from), to: encodeUtf8(to) };
    const client = this.#clients.at(-1)!;
    await this.#recorder.write(JANITOR, action, () => client.writeAs(action, [range]));
  }

  /** At whatever node, in parts, while others write. */
  async #scan(): Promise<void> {
    const { from, to } = this.#pickRange([...KEYS, 'pad/', '~']);
    const keys = KEYS.filter((key) => key >= from && key < to);
    const site = this.#random.pick(this.#cluster.sites);
    const isDescending = this.#random.chance(0.4);
    const action = { kind: 'read' as const, keys };
    await this.#recorder.read(SCANNER, action, async (): Promise<ReadOutcome> => {
      try {
        const rows = await this.#road.call(site, SCAN_MS, ({ replica }) =>
          replica.read({ kind: 'linearizable' }, () => this.#pull(replica, { from, to }, isDescending)),
        );
        this.#world.counts.scans++;
        const seen = new Map(
          rows.map(({ key, revision, value }) => [decodeUtf8(key), { value: decodeUtf8(value), revision }]),
        );
        return { kind: 'rows', rows: keys.map((key): SeenRow | null => seen.get(key) ?? null) };
      } catch (error) {
        return { kind: 'not-done', reason: this.#reasonOf(error) };
      }
    });
  }

  async #pull(replica: Replica, { from, to }: Range, isDescending: boolean): Promise<readonly PageRow[]> {
    const range: RowRange = {
      from: encodeUtf8(from),
      isFromExclusive: false,
      to: encodeUtf8(to),
      isToInclusive: false,
    };
    const scan = replica.scan({ range, isDescending, isWithoutValues: false, limit: 0 });
    try {
      const all: PageRow[] = [];
      for (;;) {
        const { rows, isLast } = await scan.next(PART_BYTES, 1 + this.#random.int(20));
        all.push(...rows);
        if (isLast) break;
        if (this.#random.chance(0.3)) await this.#road.sleep(this.#random.next() * PART_MS);
      }
      this.#checkScan(all, scan.revision, { from, to }, isDescending);
      return all;
    } finally {
      await scan.close();
    }
  }

  #checkScan(rows: readonly PageRow[], revision: number, { from, to }: Range, isDescending: boolean): void {
    const { checks } = this.#world;
    const keys = rows.map(({ key }) => decodeUtf8(key));
    for (const [at, key] of keys.entries()) {
      const before = keys[at - 1];
      const isInOrder = before === undefined || (isDescending ? before > key : before < key);
      if (!isInOrder) checks.fail('reads', `a scan showed ${key} behind ${before}`);
      if (key < from || key >= to) checks.fail('reads', `a scan from ${from} to ${to} showed ${key}`);
      if (rows[at]!.revision > revision) {
        checks.fail('reads', `a scan of revision ${revision} showed ${key} of revision ${rows[at]!.revision}`);
      }
    }
  }

  async #readOld(): Promise<void> {
    const site = this.#random.pick(this.#cluster.sites);
    const isBounded = this.#random.chance(0.7);
    const maxStalenessMs = Math.floor(this.#random.next() * OLD_READ_MS);
    const freshness: Freshness = isBounded ? { kind: 'bounded', maxStalenessMs } : { kind: 'stale' };
    const key = this.#random.pick(KEYS);
    const calledMs = this.#world.timeline.nowMs;
    try {
      const { row, life } = await this.#road.call(site, SCAN_MS, ({ replica }) =>
        replica.read(freshness, async () => ({ row: await replica.get(encodeUtf8(key)), life: site.life })),
      );
      this.#world.counts.oldReads++;
      this.#checkForward(site, life, key, row?.revision);
      if (!isBounded) return;
      // By the clock of the node, which may be slow.
      const sinceMs = calledMs - maxStalenessMs / (1 - this.#world.profile.drift);
      const seen = row === undefined ? null : { value: decodeUtf8(row.value), revision: row.revision };
      this.#oldReads.push({ key, row: seen, calledMs: Math.max(0, sinceMs), returnedMs: this.#world.timeline.nowMs });
    } catch (error) {
      this.#reasonOf(error);
    }
  }

  /** What one life of a node has shown never goes back, however old it is. */
  #checkForward({ id }: ServerSite, life: number, key: string, revision: number | undefined): void {
    if (revision === undefined) return;
    const seen = this.#seen.get(life) ?? new Map<string, number>();
    this.#seen.set(life, seen);
    const before = seen.get(key) ?? 0;
    if (revision < before) {
      this.#world.checks.fail('reads', `node ${id} showed ${key} of revision ${revision}, and of ${before} before`);
    }
    seen.set(key, revision);
  }

  #pickRange(keys: readonly string[]): Range {
    const [from, to] = [this.#random.pick(keys), this.#random.pick(keys)].toSorted() as [string, string];
    return { from, to };
  }

  #reasonOf(error: unknown): string {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    const isKnown = error instanceof ReplicaError || code === 'KAYA_STATE_REPLACED' || code === 'KAYA_ENGINE_CLOSED';
    if (!isKnown && !(error instanceof Error && error.name === 'LostError')) {
      this.#world.checks.fail('clients', `a reader was told ${String(error)}`);
    }
    return code ?? 'nobody answers';
  }
}
