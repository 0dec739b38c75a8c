/** The first things a new user does, with a real node, real files and the real command line. */

import { writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import type { NodeReport } from '@kayadb/server';
import { testSeed } from '@kayadb/testkit';
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
import { takePicture } from './support/folder-picture.ts';
import { kayactl, runKayactl, startKayactl } from './support/processes.ts';
import { type DryRun, dryRun, dryRunNode } from './support/recovery.ts';
import { type Folder, openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const TIMEOUT_MS = 240_000;
const GENERATED_COUNT = 5000;
const STOP_SECONDS = 10;
/** A node that was stopped in order has everything in its store. */
const CLOSED: Closed = {
  exitCode: 0,
  verdict: 'clean',
  live: false,
  lock: 'free',
  start: 'starts',
  replayed: 0,
  undecided: 0,
  damage: 0,
};

describe('a strict node', () => {
  test.skipIf(packageListIsAbsent)(
    'gives 63,440 real packages back byte for byte, over the network, from its folder and embedded (skipped without the package list)',
    { timeout: TIMEOUT_MS },
    async () => {
      using folder = openFolder();
      const dataset = packageList();

      const seen = await roundTrip(folder, dataset);

      expect(seen).toEqual(expectedOf(dataset));
    },
  );

  test(
    'gives generated records back byte for byte, over the network, from its folder and embedded',
    { timeout: TIMEOUT_MS },
    async () => {
      using folder = openFolder();
      const dataset = generateDataset(folder.at('in.jsonl.gz'), testSeed(), GENERATED_COUNT);

      const seen = await roundTrip(folder, dataset);

      expect(seen).toEqual(expectedOf(dataset));
    },
  );

  test(
    'leaves on SIGTERM in the middle of an import, and loses nothing acknowledged',
    { timeout: TIMEOUT_MS },
    async () => {
      using folder = openFolder();
      const dataset = generateDataset(folder.at('in.jsonl.gz'), testSeed(), 20_000);
      const [data, acks] = [folder.at('data'), folder.at('acks')];
      await using server = await ServerProcess.start(data);
      await using importing = startImport(server, dataset, folder);

      const stopped = await importing.stopServer(2000);
      const imported = await importing.finished;
      const looked = await dryRunNode(data);

      const acknowledged = readAcknowledged(acks);
      const stored = await storedRecords(data);
      expect(stopped).toMatchObject({ exitCode: 0 });
      expect(stopped.seconds).toBeLessThan(STOP_SECONDS);
      expect(imported.exitCode).toBe(1);
      expect(imported.stderr).toMatch(
        /^ERROR: .*acknowledged\nHINT: .*Run the same command again: it goes on after line \d+\.$/m,
      );
      expect(acknowledged.size).toBeGreaterThanOrEqual(2000);
      expect([...acknowledged].filter((key) => stored.get(key) !== dataset.records.get(key))).toEqual([]);
      expect(summaryOf(looked)).toEqual(CLOSED);
      console.info(
        `SIGTERM under load: gone after ${stopped.seconds.toFixed(1)} s with exit code 0, ` +
          `${acknowledged.size} records acknowledged, 0 lost`,
      );
    },
  );
});

interface RunningImport extends AsyncDisposable {
  readonly finished: ReturnType<typeof runKayactl>;
  /** Sends SIGTERM once that many records are acknowledged. */
  stopServer(acknowledgements: number): ReturnType<ServerProcess['stop']>;
}

function startImport(server: ServerProcess, dataset: Dataset, folder: Folder): RunningImport {
  const acks = folder.at('acks');
  writeFileSync(acks, '');
  const progress = ['--state', folder.at('state'), '--ack-log', acks];
  // A client would look for another node for half a minute.
  const patience = ['--deadline', '2000'];
  const running = startKayactl(['--server', server.address, ...patience, 'import', dataset.file, ...progress]);
  return {
    finished: running.finished,
    stopServer: (acknowledgements) =>
      new Promise((resolve, reject) => {
        watchAcknowledged(acks, acknowledgements, () => {
          server.stop().then(resolve, reject);
        });
      }),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

async function storedRecords(data: string): Promise<ReadonlyMap<string, string>> {
  const document = JSON.parse(await kayactl('--data', data, 'scan', '--json')) as {
    readonly items: readonly { readonly key: string; readonly value: string }[];
  };
  return new Map(document.items.map(({ key, value }) => [key, value]));
}

/** Node, import, scan, get, export, SIGTERM; then the same data from its folder, and in a store of the engine. */
async function roundTrip(folder: Folder, dataset: Dataset): Promise<RoundTrip> {
  const data = folder.at('data');
  await using server = await ServerProcess.start(data, { flags: ['--durability', 'strict'] });
  const remote = ['--server', server.address];
  const shells = shellsOf(dataset);

  const imported = await runKayactl([...remote, 'import', dataset.file, '--state', folder.at('state'), '--json']);
  const rows = await kayactl(...remote, 'scan', 'deb/zsh');
  const scan = await kayactl(...remote, 'scan', 'deb/zsh', '--json');
  const value = await kayactl(...remote, 'get', shells[0]!.key, '--raw');
  await kayactl(...remote, 'export', folder.at('remote.jsonl'));
  const stopped = await server.stop();

  const picture = takePicture(data);
  const closed = await dryRunNode(data);
  const storedRows = await kayactl('--data', data, 'scan', 'deb/zsh');
  const verified = await runKayactl(['--data', data, 'verify']);
  await kayactl('--data', data, 'export', folder.at('stored.jsonl'));
  const isUnchangedByReading = isDeepStrictEqual(takePicture(data), picture);
  const embedded = folder.at('embedded');
  await kayactl('--data', embedded, 'import', folder.at('stored.jsonl'));
  const stats = JSON.parse(await kayactl('--data', embedded, 'stats', '--json')) as { readonly last_sequence: number };
  await kayactl('--data', embedded, 'export', folder.at('embedded.jsonl'));
  const { report } = await dryRun(embedded);

  const { seconds, bytes: _bytes, ...summary } = JSON.parse(imported.stdout) as ImportSummary;
  console.info(
    `${dataset.name}: ${summary.imported} records imported with strict durability in ${seconds} s, ` +
      `exported the same bytes; SIGTERM took ${stopped.seconds.toFixed(1)} s`,
  );
  return {
    importExitCode: imported.exitCode,
    importErrors: imported.stderr,
    summary,
    rows: countLines(rows),
    scan: JSON.parse(scan) as RoundTrip['scan'],
    isRightValue: value === shells[0]!.value,
    wrongLines: countWrongLines(folder.at('remote.jsonl'), dataset),
    stopExitCode: stopped.exitCode,
    stoppedInTime: stopped.seconds < STOP_SECONDS,
    hasSameRowsStored: storedRows === rows,
    verifyExitCode: verified.exitCode,
    wrongStoredLines: countWrongLines(folder.at('stored.jsonl'), dataset),
    isUnchangedByReading,
    hasAllEntries: closed.report.log!.lastIndex > dataset.records.size,
    dryRun: summaryOf(closed),
    embedded: {
      verdict: report.verdict,
      cleanClose: report.cleanClose,
      replayed: report.records_replayed,
      lastSequences: [stats.last_sequence, report.lastSequence],
      wrongLines: countWrongLines(folder.at('embedded.jsonl'), dataset),
    },
  };
}

function expectedOf(dataset: Dataset): RoundTrip {
  const count = dataset.records.size;
  const shells = shellsOf(dataset);
  return {
    importExitCode: 0,
    importErrors: '',
    summary: { ok: true, lines: count, imported: count, bad: 0, blank: 0, resumed_from: 0 },
    rows: 9,
    scan: { items: shells },
    isRightValue: true,
    wrongLines: 0,
    stopExitCode: 0,
    stoppedInTime: true,
    hasSameRowsStored: true,
    verifyExitCode: 0,
    wrongStoredLines: 0,
    isUnchangedByReading: true,
    hasAllEntries: true,
    dryRun: CLOSED,
    embedded: { verdict: 'clean', cleanClose: true, replayed: 0, lastSequences: [count, count], wrongLines: 0 },
  };
}

/** The nine records under `deb/zsh`, in key order. @throws Error when the dataset has another number of them. */
function shellsOf(dataset: Dataset): readonly { readonly key: string; readonly value: string }[] {
  const shells = [...dataset.records]
    .filter(([key]) => key.startsWith('deb/zsh'))
    .map(([key, value]) => ({ key, value }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  if (shells.length !== 9) throw new Error(`${dataset.name} has ${shells.length} keys under deb/zsh`);
  return shells;
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

/** Lines of an export that are not the input's, sorted by key. */
function countWrongLines(file: string, dataset: Dataset): number {
  const [exported, expected] = [readLines(file), sortedByKey(dataset.lines)];
  const longer = exported.length > expected.length ? exported : expected;
  return longer.filter((_, at) => exported[at] !== expected[at]).length;
}

function summaryOf({ exitCode, report }: DryRun<NodeReport>): Closed {
  const { verdict, live, lock, start, damage } = report;
  return {
    exitCode,
    verdict,
    live,
    lock: lock.state,
    start: start.outcome,
    replayed: start.entriesReplayed,
    undecided: start.entriesUndecided,
    damage: damage.length,
  };
}

/** What the next start of a node finds. */
interface Closed {
  readonly exitCode: number | null;
  readonly verdict: string;
  readonly live: boolean;
  readonly lock: string;
  readonly start: string;
  /** Entries of the log that its store does not hold. */
  readonly replayed: number;
  readonly undecided: number;
  readonly damage: number;
}

interface ImportSummary {
  readonly ok: boolean;
  readonly lines: number;
  readonly imported: number;
  readonly bad: number;
  readonly blank: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly resumed_from: number;
}

/** What a user has seen from the first command to the last. */
interface RoundTrip {
  readonly importExitCode: number | null;
  readonly importErrors: string;
  readonly summary: Omit<ImportSummary, 'bytes' | 'seconds'>;
  readonly rows: number;
  readonly scan: { readonly items: readonly { readonly key: string; readonly value: string }[] };
  readonly isRightValue: boolean;
  readonly wrongLines: number;
  readonly stopExitCode: number | null;
  readonly stoppedInTime: boolean;
  readonly hasSameRowsStored: boolean;
  readonly verifyExitCode: number | null;
  readonly wrongStoredLines: number;
  /** Reading the folder of a stopped node leaves it as it was. */
  readonly isUnchangedByReading: boolean;
  /** The log has one entry for each record at least. */
  readonly hasAllEntries: boolean;
  readonly dryRun: Closed;
  /** What the engine makes of the node's export. */
  readonly embedded: {
    readonly verdict: string;
    readonly cleanClose: boolean;
    readonly replayed: number;
    readonly lastSequences: readonly number[];
    readonly wrongLines: number;
  };
}
