/**
 * A store that lives through many writers, each killed at a drawn moment, or closed in good order now and then. Before each one the directory may
 * be inspected; what the report foretells is compared with what opening then does.
 */

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { type Durability, inspectStore, openEngine, type RecoveryReport } from '@kayadb/engine';
import { describeSeed, type SeededRandom } from '@kayadb/testkit';
import { inspectDirectoryLock, nodeFileSystem, nodeProcessTable } from '@kayadb/vfs';

import type { Findings } from '../report.ts';
import { type KillPlan, KillTrigger, randomKillPlan, randomPhases } from './kill-plan.ts';
import { lanePrograms, type ProgramShape } from './lane-programs.ts';
import { stepOf, StoreRecord } from './store-record.ts';
import { type Life, liveOnce } from './writer-life.ts';
import type { WriterSupply } from './writer-process.ts';
import { PAIR_KEYS, type WatchOptions, type WriterOrders } from './writer-protocol.ts';

export interface KillFigures {
  kills: number;
  killsWhileOpening: number;
  killsWhileMerging: number;
  killsWhileClosing: number;
  cleanCloses: number;
  acknowledgedWrites: number;
  cutOffWrites: number;
  recordsReplayed: number;
  tornTails: number;
  locksTakenOver: number;
  forecastsCompared: number;
  unnamedTablesLeft: number;
  flushes: number;
  merges: number;
  scrubs: number;
  checkpointsOpened: number;
}

export function noFigures(): KillFigures {
  return {
    kills: 0,
    killsWhileOpening: 0,
    killsWhileMerging: 0,
    killsWhileClosing: 0,
    cleanCloses: 0,
    acknowledgedWrites: 0,
    cutOffWrites: 0,
    recordsReplayed: 0,
    tornTails: 0,
    locksTakenOver: 0,
    forecastsCompared: 0,
    unnamedTablesLeft: 0,
    flushes: 0,
    merges: 0,
    scrubs: 0,
    checkpointsOpened: 0,
  };
}

/** Where the store lies, and what happens to the machine when a process has ended. */
export interface Machine {
  /** An empty folder at first; where it lies may change with each life. */
  root(): string;
  afterLife(): void;
}

export interface KillRunParts {
  readonly machine: Machine;
  readonly random: SeededRandom;
  readonly kills: number;
  readonly supply: WriterSupply;
  readonly findings: Findings;
  /** Counted on. */
  readonly figures: KillFigures;
  /** Default `strict`. */
  readonly durability?: Durability;
}

const SHAPE: ProgramShape = { lanes: 4, stepsPerLane: 150 };
const INSPECTED_SHARE = 0.5;
const WATCHING_SHARE = 0.5;
/** Scrubs all the time, and has a reserve to make. */
const WATCHING: WatchOptions = { scrubIntervalMs: 20, scrubBytesPerSecond: 0, diskReserveBytes: 65_536 };

/** Lets one new store live through `kills` kills, and closes it in good order at the end. */
export async function runKills(parts: KillRunParts): Promise<void> {
  const { random, kills, figures } = parts;
  const record = new StoreRecord(SHAPE.lanes);
  const store = new KilledStore(parts, record);
  await store.prepare();
  const phases = randomPhases(random);
  const last = figures.kills + kills;
  for (let life = 0; figures.kills < last; life++) {
    const plan = randomKillPlan(random, phases[life % phases.length]!);
    await store.live(life, plan, lanePrograms(random.fork(`life ${life}`), life, SHAPE));
  }
  await store.live(-1, { phase: 'never', lines: 0, announces: false }, []);
  figures.acknowledgedWrites += record.acknowledgedWrites;
  figures.cutOffWrites += record.openWrites;
}

class KilledStore {
  readonly #parts: KillRunParts;
  readonly #record: StoreRecord;

  constructor(parts: KillRunParts, record: StoreRecord) {
    this.#parts = parts;
    this.#record = record;
  }

  /** Makes the folder for checkpoints, so that it survives power loss. */
  async prepare(): Promise<void> {
    const fileSystem = nodeFileSystem();
    await fileSystem.makeDirectory(this.#checkpoints);
    await fileSystem.syncDirectory(this.#parts.machine.root());
  }

  get #directory(): string {
    return join(this.#parts.machine.root(), 'store');
  }

  get #checkpoints(): string {
    return join(this.#parts.machine.root(), 'checkpoints');
  }

  async live(life: number, plan: KillPlan, lanes: WriterOrders['lanes']): Promise<void> {
    const { random, supply, findings, figures, machine, durability = 'strict' } = this.#parts;
    const where = `(life ${life}, killed ${plan.phase}+${plan.lines}, ${describeSeed(random.seed)})`;
    // Power may have gone before there was a folder.
    const isThere = existsSync(this.#directory);
    const report = isThere && random.chance(INSPECTED_SHARE) ? await this.#inspect() : undefined;
    const isLockLeft =
      isThere && (await inspectDirectoryLock(nodeFileSystem(), this.#directory, nodeProcessTable())).kind === 'stale';
    const orders: WriterOrders = {
      directory: this.#directory,
      checkpoints: this.#checkpoints,
      durability,
      announces: plan.announces,
      watch: random.chance(WATCHING_SHARE) ? WATCHING : {},
      life,
      lanes,
    };
    const trigger = new KillTrigger(plan);
    await using writer = supply.take();
    const ended = await liveOnce({
      writer,
      orders,
      record: this.#record,
      findings,
      where,
      onLine: (line) => {
        const op = 'step' in line ? stepOf(orders, line) : undefined;
        if (trigger.isDue(line, op)) writer.kill();
      },
    });
    this.#count(ended, plan);
    if (report !== undefined) this.#compareForecast(report, ended, where);
    if (ended.opened !== undefined && ended.tookOverLock !== isLockLeft) {
      findings.add(`the lock was ${ended.tookOverLock ? '' : 'not '}taken over from a dead process ${where}`);
    }
    if (ended.isClosed) await this.#checkClosed(where);
    machine.afterLife();
    await this.#checkCheckpoints(ended.checkpoints, where);
    if (ended.end.signal !== null) figures.kills++;
    else if (!ended.isClosed) findings.add(`the writer ended by itself without closing the store ${where}`);
  }

  #count({ opened, end, isClosed, ...life }: Life, plan: KillPlan): void {
    const { figures } = this.#parts;
    const isKilled = end.signal !== null;
    if (isKilled && opened === undefined) figures.killsWhileOpening++;
    if (isKilled && life.openCompactions > 0) figures.killsWhileMerging++;
    if (isKilled && plan.phase === 'closing') figures.killsWhileClosing++;
    if (isClosed) figures.cleanCloses++;
    if (life.tookOverLock) figures.locksTakenOver++;
    figures.recordsReplayed += opened?.recoveredRecords ?? 0;
    if ((opened?.truncatedBytes ?? 0) > 0) figures.tornTails++;
    figures.flushes += life.flushes;
    figures.merges += life.compactions;
    figures.scrubs += life.scrubs;
  }

  #inspect(): Promise<RecoveryReport> {
    return inspectStore(nodeFileSystem(), this.#directory);
  }

  #compareForecast({ opening, verdict, files }: RecoveryReport, { opened, tookOverLock }: Life, where: string): void {
    const { figures, findings } = this.#parts;
    figures.unnamedTablesLeft += files.filter(({ kind, state }) => kind === 'table' && state === 'orphan').length;
    if (opening.outcome === 'refused') {
      findings.add(`the report foretells a refusal: ${String(opening.reason)}, verdict ${verdict} ${where}`);
    }
    if (opened === undefined) return;
    const foretold = [opening.recordsReplayed, opening.walTruncatedBytes, opening.lockTakeover].join(' ');
    const happened = [opened.recoveredRecords, opened.truncatedBytes, tookOverLock].join(' ');
    if (foretold !== happened) findings.add(`foretold ${foretold}, happened ${happened} ${where}`);
    figures.forecastsCompared++;
  }

  /** Nothing is left but what the store needs, and nobody holds it. */
  async #checkClosed(where: string): Promise<void> {
    const { verdict, cleanClose, lock, files } = await this.#inspect();
    const summary = `${verdict} ${cleanClose} ${lock.state}`;
    if (summary !== 'clean true free') this.#parts.findings.add(`after closing the store is ${summary} ${where}`);
    const left = files
      .filter(({ state }) => state !== 'intact')
      .map(({ name, state }) => this.#describeLeft(name, state));
    if (left.length > 0) this.#parts.findings.add(`closing leaves ${left.join(', ')} ${where}`);
  }

  #describeLeft(name: string, state: string): string {
    const { size, nlink, mtime, birthtime } = statSync(join(this.#directory, name));
    const times = `made ${birthtime.toISOString()}, changed ${mtime.toISOString()}`;
    return `${name} (${state}, ${size} bytes, ${nlink} links, ${times}, now ${new Date().toISOString()})`;
  }

  /** Those that were acknowledged are there; all that have their name are whole. The rest are removed. */
  async #checkCheckpoints(acknowledged: readonly string[], where: string): Promise<void> {
    const { findings, figures } = this.#parts;
    const found = readdirSync(this.#checkpoints);
    for (const name of acknowledged.filter((each) => !found.includes(each))) {
      findings.add(`the acknowledged checkpoint ${name} is not there ${where}`);
    }
    for (const name of found) {
      const path = join(this.#checkpoints, name);
      if (!name.endsWith('.partial')) {
        const complaint = await checkCheckpoint(path);
        if (complaint !== undefined) findings.add(`the checkpoint ${name} ${complaint} ${where}`);
        figures.checkpointsOpened++;
      }
      rmSync(path, { recursive: true });
    }
    // This process opened them and lives on: with its locks they must not come back.
    await nodeFileSystem().syncDirectory(this.#checkpoints);
  }
}

async function checkCheckpoint(path: string): Promise<string | undefined> {
  try {
    await using engine = await openEngine(path, { createIfMissing: false, backgroundWork: 'inline' });
    const { damage } = await engine.verify();
    if (damage.length > 0) return `is damaged: ${damage[0]!.message}`;
    const [first, second] = await engine.getMany(PAIR_KEYS);
    return String(first) === String(second) ? undefined : 'holds half a batch';
  } catch (error) {
    return `does not open: ${String(error)}`;
  }
}
