/** What `inspectStore` foretells is what `openEngine` then does, whatever has happened to the store. */

import { KayaError } from '@kayadb/codec';
import { describeSeed, type SeededRandom, seededRandom, testSeed } from '@kayadb/testkit';
import type { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import {
  abandonedStore,
  afterKill,
  closedStore,
  evidenceOptions,
  externalStore,
  flip,
  inspect,
  manifestName,
  rangeDeleteStore,
  truncate,
  twoSegmentStore,
  unwrittenStore,
  writeFile,
} from '../../test/support/evidence.ts';
import { DIRECTORY, openTestEngine, testWorld } from '../../test/support/open-test-engine.ts';
import { tableFileName } from '../files/file-names.ts';
import {
  CorruptionError,
  type EngineEvent,
  type EngineOptions,
  inspectFile,
  type ManifestInspection,
  type RecoveryReport,
  type StoreDamage,
} from '../index.ts';

interface Opened {
  readonly recordsReplayed: number;
  readonly walTruncatedBytes: number;
  readonly filesRemoved: readonly string[];
  readonly lastSequence: number;
  readonly durableIndex: number | undefined;
  readonly rangeDeletes: number;
  readonly created: boolean;
  /** Reading all of it met damage in this file. */
  readonly damagedFile: string | undefined;
}

async function namesIn(disk: MemoryFileSystem): Promise<readonly string[]> {
  return (await disk.readDirectory(DIRECTORY)).map(({ name }) => name);
}

interface Evidence {
  readonly make: () => Promise<MemoryFileSystem>;
  readonly options?: EngineOptions;
  /** Range deletes hide some of its entries, so that readers need not meet damage, and compaction may remove it. */
  readonly hidesDamage?: boolean;
}

const stores: Readonly<Record<string, Evidence>> = {
  killed: { make: () => abandonedStore() },
  'killed, never synced': { make: () => abandonedStore({ durability: 'relaxed' }) },
  closed: { make: closedStore },
  'killed in a flush': { make: twoSegmentStore },
  'killed at once': { make: unwrittenStore },
  'with range deletes': { make: rangeDeleteStore, hidesDamage: true },
  'without a log of its own, killed': {
    make: () => externalStore('killed'),
    options: { log: 'external' },
    hidesDamage: true,
  },
  'without a log of its own, closed': {
    make: () => externalStore('closed'),
    options: { log: 'external' },
    hidesDamage: true,
  },
};

/** Tables that the store had when it was opened last: the first edit of its manifest. Compaction may have removed some since. */
async function tablesWhenOpened(disk: MemoryFileSystem): Promise<ReadonlySet<string>> {
  const path = `${DIRECTORY}/${await manifestName(disk)}`;
  const { edits } = (await inspectFile(disk, path, 'manifest')) as ManifestInspection;
  return new Set(edits[0]!.addedTables.map(({ fileNumber }) => tableFileName(fileNumber)));
}

/** Opens `disk` for real and reads everything. */
async function open(disk: MemoryFileSystem, options: EngineOptions): Promise<Opened | KayaError> {
  const before = await namesIn(disk);
  const removed = new Set<string>();
  const stop = disk.afterEachMutation(({ operation, path }) => {
    if (operation === 'unlink') removed.add(path.slice(DIRECTORY.length + 1));
  });
  const events: EngineEvent[] = [];
  try {
    const engine = await openTestEngine(testWorld(disk), {
      ...evidenceOptions,
      ...options,
      onEvent: (event) => events.push(event),
    });
    const { recoveredRecords, truncatedBytes, lastSequence, durableIndex, rangeDeletes } = engine.stats();
    let damagedFile: string | undefined;
    const keys: Uint8Array[] = [];
    try {
      for await (const row of engine.scan()) keys.push(row.key);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      damagedFile = error.file;
    }
    await engine.close();
    const kept = await tablesWhenOpened(disk);
    return {
      recordsReplayed: recoveredRecords,
      walTruncatedBytes: truncatedBytes,
      filesRemoved: before.filter((name) => removed.has(name) && !kept.has(name) && name !== 'LOCK'),
      lastSequence,
      durableIndex,
      rangeDeletes,
      created: events.some((event) => event.kind === 'opened' && event.created),
      damagedFile,
    };
  } catch (error) {
    if (error instanceof KayaError) return error;
    throw error;
  } finally {
    stop();
  }
}

/** What the report says about opening, for comparison with what happened. */
function foretold(report: RecoveryReport, outcome: Opened | KayaError, hidesDamage: boolean): unknown {
  const { opening, verdict, damage } = report;
  const refused = { outcome: opening.outcome, code: opening.code, verdict };
  if (outcome instanceof CorruptionError) {
    return { ...refused, file: opening.file, offset: opening.offset, first: pick(damage[0]) };
  }
  if (outcome instanceof KayaError) return refused;
  const segments = report.files.filter(({ kind }) => kind === 'wal');
  return {
    outcome: opening.outcome,
    recordsReplayed: opening.recordsReplayed,
    recordsReplayedByFile: sum(segments.map((file) => file.opening.recordsReplayed)),
    walTruncatedBytes: opening.walTruncatedBytes,
    bytesCutByFile: sum(segments.map((file) => file.opening.bytesCut)),
    filesRemoved: opening.filesRemoved,
    lastSequence: report.last_sequence,
    durableIndex: report.durableIndex ?? undefined,
    hasRangeDeletes: outcome.rangeDeletes >= (report.rangeDeleteCount ?? 0),
    isCorrupt: verdict === 'corrupt' && (outcome.damagedFile !== undefined || !hidesDamage),
    // Damage inside tables is met by whoever reads everything, in the order of keys.
    namesDamagedFile: outcome.damagedFile === undefined || damage.some(({ file }) => file === outcome.damagedFile),
    namesTornTail: verdict !== 'recoverable' || report.files.some(({ state }) => state === 'torn-tail'),
  };
}

function happened(outcome: Opened | KayaError): unknown {
  if (outcome instanceof CorruptionError) {
    const { code, file, offset } = outcome;
    return { outcome: 'refused', code, verdict: 'corrupt', file, offset, first: { file, offset } };
  }
  if (outcome instanceof KayaError) return { outcome: 'refused', code: outcome.code, verdict: 'unsupported' };
  return {
    outcome: outcome.created ? 'creates' : 'opens',
    recordsReplayed: outcome.recordsReplayed,
    recordsReplayedByFile: outcome.recordsReplayed,
    walTruncatedBytes: outcome.walTruncatedBytes,
    bytesCutByFile: outcome.walTruncatedBytes,
    filesRemoved: outcome.filesRemoved,
    lastSequence: outcome.lastSequence,
    // A store that is created is given one; there is nothing yet to report it from.
    durableIndex: outcome.created ? undefined : outcome.durableIndex,
    hasRangeDeletes: true,
    isCorrupt: outcome.damagedFile !== undefined,
    namesDamagedFile: true,
    namesTornTail: true,
  };
}

function pick(damage: StoreDamage | undefined): unknown {
  return { file: damage?.file, offset: damage?.offset };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

type Damage = (disk: MemoryFileSystem, name: string, random: SeededRandom) => Promise<void>;

const damages: Readonly<Record<string, Damage>> = {
  flip: async (disk, name, random) => {
    const { bytes } = (await disk.stat(`${DIRECTORY}/${name}`))!;
    if (bytes > 0) await flip(disk, name, random.int(bytes), 1 << random.int(7));
  },
  zero: async (disk, name, random) => {
    const { bytes } = (await disk.stat(`${DIRECTORY}/${name}`))!;
    const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
    await handle.write(new Uint8Array(random.int(bytes + 1)), random.int(bytes + 1));
    await handle.close();
  },
  truncate: async (disk, name, random) => {
    const { bytes } = (await disk.stat(`${DIRECTORY}/${name}`))!;
    await truncate(disk, name, random.int(bytes + 1));
  },
  extend: async (disk, name, random) => {
    const { bytes } = (await disk.stat(`${DIRECTORY}/${name}`))!;
    const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
    await handle.write(random.chance(0.5) ? new Uint8Array(50) : random.bytes(50), bytes);
    await handle.close();
  },
  remove: (disk, name) => disk.unlink(`${DIRECTORY}/${name}`),
  swap: async (disk, name, random) => {
    const other = random.pick(await namesIn(disk));
    if (other === name || other === 'LOCK') return;
    await disk.rename(`${DIRECTORY}/${other}`, '/aside');
    await disk.rename(`${DIRECTORY}/${name}`, `${DIRECTORY}/${other}`);
    await disk.rename('/aside', `${DIRECTORY}/${name}`);
  },
  add: async (disk, _name, random) => {
    const name = random.pick([
      'notes.txt',
      '000099.sst',
      '000098.wal',
      'MANIFEST-000097',
      'CURRENT.tmp',
      'x.tmp',
      '1.sst',
    ]);
    if (!(await namesIn(disk)).includes(name)) await writeFile(disk, name, random.bytes(random.pick([0, 10, 64, 300])));
  },
  copy: async (disk, name, random) => {
    const content = await disk.readFile(`${DIRECTORY}/${name}`);
    const target = random.pick(['000099.sst', '000098.wal', 'MANIFEST-000097', 'CURRENT.tmp']);
    if (!(await namesIn(disk)).includes(target)) await writeFile(disk, target, content);
  },
};

describe('inspectStore', () => {
  test.each(Object.keys(stores))(
    'foretells what opening does to a damaged store: %s',
    { timeout: 60_000 },
    async (name) => {
      const seed = testSeed();
      const random = seededRandom(seed).fork(name);
      const { make, options = {}, hidesDamage = false } = stores[name]!;
      const store = await make();
      const seen = new Set<string>();
      for (let run = 0; run < 45; run++) {
        const disk = afterKill(store);
        const story: string[] = [];
        for (let count = run === 0 ? 0 : random.pick([1, 1, 1, 2, 3]); count > 0; count--) {
          const file = random.pick((await namesIn(disk)).filter((each) => each !== 'LOCK'));
          const kind = random.pick(Object.keys(damages));
          story.push(`${kind} ${file}`);
          await damages[kind]!(disk, file, random);
        }
        const where = `run ${run}: ${story.join(', ')} (${describeSeed(seed)})`;

        const report = await inspect(disk);

        const outcome = await open(disk, options);
        expect({ where, opening: foretold(report, outcome, hidesDamage) }).toEqual({
          where,
          opening: happened(outcome),
        });
        seen.add(report.verdict);
      }
      expect([...seen]).toEqual(expect.arrayContaining(['clean', 'corrupt']));
    },
  );
});
