/**
 * `kill -9` of a node while records are imported into it. What was acknowledged is recorded by the importing process and
 * judged by this one; the killed process has no say. Each kill comes after a number of acknowledgements drawn from the seed.
 */

import { writeFileSync } from 'node:fs';

import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { readAcknowledged, watchAcknowledged } from './support/ack-log.ts';
import {
  type Dataset,
  generateDataset,
  packageList,
  packageListIsAbsent,
  readLines,
  sortedByKey,
} from './support/dataset.ts';
import { kayactl, startKayactl } from './support/processes.ts';
import { dryRun } from './support/recovery.ts';
import { type Folder, openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const KILLS = 20;
/** Enough that no import completes between two kills: acknowledgements come in groups of up to some hundred. */
const GENERATED_COUNT = 20_000;

interface Cycle {
  readonly importExitCode: number | null;
  /** Records acknowledged so far, in this and all earlier cycles. */
  readonly acknowledged: number;
  /** Of these, how many the restarted node does not have, or has with another value. */
  readonly lost: number;
  /** Records that the restarted node has and nobody wrote. */
  readonly invented: number;
  readonly dryRunExitCode: number | null;
  /** What the dry run foretold of the restart, and what the restart did. */
  readonly foretold: Opening;
  readonly happened: Opening;
}

interface Opening {
  readonly replayed: unknown;
  readonly truncated: unknown;
}

/** Imports, kills, looks, restarts, checks: `KILLS` times, then lets the import finish. */
class CrashRun implements AsyncDisposable {
  readonly cycles: Cycle[] = [];
  killsWhileRecovering = 0;
  readonly #folder: Folder;
  readonly #dataset: Dataset;
  readonly #data: string;
  readonly #acks: string;
  #server: ServerProcess;

  constructor(folder: Folder, dataset: Dataset, server: ServerProcess) {
    this.#folder = folder;
    this.#dataset = dataset;
    this.#data = folder.at('data');
    this.#acks = folder.at('acks');
    this.#server = server;
    writeFileSync(this.#acks, '');
  }

  get server(): ServerProcess {
    return this.#server;
  }

  importArguments(): readonly string[] {
    const progress = ['--state', this.#folder.at('state'), '--ack-log', this.#acks];
    return ['--server', this.#server.address, 'import', this.#dataset.file, ...progress];
  }

  /** @param isKilledTwice - Whether a first restart is killed too, when it has just taken the lock and begins to recover. */
  async cycle(acknowledgements: number, isKilledTwice: boolean): Promise<void> {
    await using importing = startKayactl(this.importArguments());
    const stopWatching = watchAcknowledged(this.#acks, acknowledgements, () => this.#server.child.kill('SIGKILL'));
    const imported = await importing.finished;
    stopWatching();
    await this.#server.kill();
    if (isKilledTwice && (await ServerProcess.startAndKillAt(this.#data, 'engine.stale-lock-taken'))) {
      this.killsWhileRecovering++;
    }
    const { exitCode, report } = await dryRun(this.#data);

    this.#server = await ServerProcess.start(this.#data, { address: this.#server.address });

    const opened = this.#server.event('engine.opened');
    this.cycles.push({
      importExitCode: imported.exitCode,
      ...(await this.#compare()),
      dryRunExitCode: exitCode,
      foretold: { replayed: report.opening.recordsReplayed, truncated: report.opening.walTruncatedBytes },
      happened: { replayed: opened['recoveredRecords'], truncated: opened['truncatedBytes'] },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill();
  }

  async #compare(): Promise<Pick<Cycle, 'acknowledged' | 'lost' | 'invented'>> {
    const acknowledged = readAcknowledged(this.#acks);
    const missing = new Set(acknowledged);
    let invented = 0;
    await using client = this.#server.connect();
    for await (const { key, value } of client.scan('')) {
      const name = Buffer.from(key).toString();
      if (this.#dataset.records.get(name) === Buffer.from(value).toString()) missing.delete(name);
      else invented++;
    }
    return { acknowledged: acknowledged.size, lost: missing.size, invented };
  }
}

describe('a node that is killed while records are imported', () => {
  test('keeps every acknowledged record through 20 kills, and the import completes', { timeout: 300_000 }, async () => {
    using folder = openFolder();
    const dataset = packageListIsAbsent
      ? generateDataset(folder.at('in.jsonl.gz'), testSeed(), GENERATED_COUNT)
      : packageList();
    const random = seededRandom(testSeed());
    const startedMs = performance.now();
    await using run = new CrashRun(folder, dataset, await ServerProcess.start(folder.at('data')));

    for (let kills = 0; kills < KILLS; kills++) {
      await run.cycle(1 + random.int(Math.floor(dataset.records.size / 25)), kills % 4 === 3);
    }
    const last = await kayactl(...run.importArguments());
    await kayactl('--server', run.server.address, 'export', folder.at('out.jsonl'));
    const stopped = await run.server.stop();

    const { cycles } = run;
    const acknowledged = cycles.map((cycle) => cycle.acknowledged);
    expect(cycles.map(({ importExitCode }) => importExitCode)).toEqual(cycles.map(() => 1));
    expect(cycles.map(({ lost, invented }) => lost + invented)).toEqual(cycles.map(() => 0));
    expect(cycles.map(({ dryRunExitCode }) => dryRunExitCode)).toEqual(cycles.map(() => 0));
    expect(cycles.map(({ foretold }) => foretold)).toEqual(cycles.map(({ happened }) => happened));
    expect(acknowledged).toEqual(acknowledged.toSorted((a, b) => a - b));
    expect(run.killsWhileRecovering).toBe(KILLS / 4);
    expect(acknowledged[0]).toBeGreaterThan(0);
    expect(last).toContain('by an earlier run');
    expect(readLines(folder.at('out.jsonl'))).toEqual(sortedByKey(dataset.lines));
    expect(stopped.exitCode).toBe(0);
    const replayed = cycles.reduce((sum, { happened }) => sum + Number(happened.replayed), 0);
    console.info(
      `kill -9 during the import of ${dataset.name}: ${cycles.length} kills (and ${run.killsWhileRecovering} while recovering), ` +
        `${acknowledged.at(-1)} records ` +
        `acknowledged by killed nodes, 0 lost, ${replayed} log records replayed as foretold, ` +
        `all ${dataset.records.size} there at the end; ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
    );
  });
});
