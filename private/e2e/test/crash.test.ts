/**
 * `kill -9` of a node while records are imported into it. What was acknowledged is recorded by the importing process and
 * judged by this one; the killed process has no say. Each kill comes after a number of acknowledgements drawn from the seed.
 */

import { writeFileSync } from 'node:fs';

import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { readAcknowledged, watchAcknowledged } from './support/ack-log.ts';
import {
  beginningOf,
  type Dataset,
  generateDataset,
  packageList,
  packageListIsAbsent,
  readLines,
  sortedByKey,
} from './support/dataset.ts';
import { kayactl, startKayactl } from './support/processes.ts';
import { dryRunNode } from './support/recovery.ts';
import { type Folder, openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const KILLS = 20;
/** How long an import looks for its node when that is killed. */
const DEADLINE_MS = 2000;
/** Enough that no import completes between two kills: acknowledgements come in groups of up to some hundred. */
const RECORDS = 20_000;

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

/**
 * Where a start goes on: the last entry that the store holds, that is committed, and that the log has. What stands in the log of a lone node is committed, also what it has not
 * written down as such.
 */
interface Opening {
  readonly applied: unknown;
  readonly committed: unknown;
  readonly last: unknown;
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

  exportArguments(file: string): readonly string[] {
    return ['--data', this.#data, 'export', file];
  }

  /** @param isKilledTwice - Whether a first restart is killed too, when it has just taken the lock and begins to recover. */
  async cycle(acknowledgements: number, isKilledTwice: boolean): Promise<void> {
    await using importing = startKayactl(['--deadline', String(DEADLINE_MS), ...this.importArguments()]);
    await this.#untilAcknowledged(acknowledgements, importing.finished);
    await this.#server.kill();
    // The import looks for its node meanwhile, and gives up before that is back.
    if (isKilledTwice && (await ServerProcess.startAndKillAt(this.#data, 'engine.stale-lock-taken'))) {
      this.killsWhileRecovering++;
    }
    const { exitCode, report } = await dryRunNode(this.#data);
    const imported = await importing.finished;

    this.#server = await ServerProcess.start(this.#data, { address: this.#server.address });

    const { applied, last } = this.#server.event('raft.core-created');
    const lastIndex = (last as { readonly index: number }).index;
    const { appliedIndex, entriesReplayed } = report.start;
    this.cycles.push({
      importExitCode: imported.exitCode,
      ...(await this.#compare()),
      dryRunExitCode: exitCode,
      foretold: {
        applied: appliedIndex,
        committed: (appliedIndex ?? 0) + entriesReplayed,
        last: report.log?.lastIndex,
      },
      happened: { applied, committed: lastIndex, last: lastIndex },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill();
  }

  /** Resolves as soon as so many more records are acknowledged, or the import has ended. */
  async #untilAcknowledged(count: number, finished: Promise<unknown>): Promise<void> {
    let stopWatching = (): void => {};
    const reached = new Promise<void>((resolve) => {
      stopWatching = watchAcknowledged(this.#acks, count, resolve);
    });
    await Promise.race([reached, finished]);
    stopWatching();
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
  test('keeps every acknowledged record through 20 kills, and the import completes', { timeout: 600_000 }, async () => {
    using folder = openFolder();
    const file = folder.at('in.jsonl.gz');
    const dataset = packageListIsAbsent
      ? generateDataset(file, testSeed(), RECORDS)
      : beginningOf(packageList(), RECORDS, file);
    const random = seededRandom(testSeed());
    const startedMs = performance.now();
    await using run = new CrashRun(folder, dataset, await ServerProcess.start(folder.at('data')));

    for (let kills = 0; kills < KILLS; kills++) {
      await run.cycle(1 + random.int(Math.floor(dataset.records.size / 25)), kills % 4 === 3);
    }
    const last = await kayactl(...run.importArguments());
    await kayactl('--server', run.server.address, 'export', folder.at('out.jsonl'));
    const stopped = await run.server.stop();
    await kayactl(...run.exportArguments(folder.at('stored.jsonl')));

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
    expect(readLines(folder.at('stored.jsonl'))).toEqual(readLines(folder.at('out.jsonl')));
    expect(stopped.exitCode).toBe(0);
    const replayed = cycles.reduce(
      (sum, { happened }) => sum + Number(happened.committed) - Number(happened.applied),
      0,
    );
    console.info(
      `kill -9 during the import of ${dataset.name}: ${cycles.length} kills (and ${run.killsWhileRecovering} while recovering), ` +
        `${acknowledged.at(-1)} records ` +
        `acknowledged by killed nodes, 0 lost, ${replayed} entries of the log replayed as foretold, ` +
        `all ${dataset.records.size} there at the end; ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
    );
  });
});
