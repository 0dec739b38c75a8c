/** Forensics must not touch the evidence, and must not take a writer's work under way for damage. */

import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeSeed, seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { nodeFileSystem } from '@kayadb/vfs';
import { fakeProcessTable, InterceptedFileSystem, MemoryFileSystem, type Operation } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { type Engine, inspectStore, openEngine, type RecoveryReport } from '../src/index.ts';
import { abandonedStore, evidenceOptions, flip, inspect, namesEnding, putMany } from './support/evidence.ts';
import { DIRECTORY, openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

const READING = new Set(['open', 'read', 'size', 'close', 'readFile', 'readDirectory', 'stat']);

function isReading({ kind, mode }: Operation): boolean {
  return READING.has(kind) && (mode ?? 'read') === 'read';
}

/** Everything that a look could change, but for the time of the last access. */
async function fingerprint(directory: string): Promise<Readonly<Record<string, string>>> {
  const { mtimeNs, ino, mode } = await stat(directory, { bigint: true });
  const prints: Record<string, string> = { '.': `${mtimeNs} ${ino} ${mode}` };
  for (const name of (await readdir(directory)).toSorted()) {
    const path = join(directory, name);
    const file = await stat(path, { bigint: true });
    const content = (await readFile(path)).toString('base64');
    prints[name] = `${file.size} ${file.mtimeNs} ${file.ctimeNs} ${file.ino} ${file.mode} ${content}`;
  }
  return prints;
}

describe('inspectStore', () => {
  test('leaves names, sizes, times, inodes, modes and content as they are', async () => {
    const root = await mkdtemp(join(tmpdir(), 'kayadb-evidence-'));
    try {
      const directory = join(root, 'store');
      const engine = await openEngine(directory, evidenceOptions);
      await putMany(engine, 0, 60);
      await engine.flush();
      await putMany(engine, 60, 70);
      const before = await fingerprint(directory);

      const report = await inspectStore(nodeFileSystem(), directory);

      const after = await fingerprint(directory);
      expect(report).toMatchObject({ live: true, verdict: 'clean', last_sequence: 70 });
      expect(Object.keys(before).length).toBeGreaterThan(4);
      expect(after).toEqual(before);
      await engine.close();
    } finally {
      await rm(root, { recursive: true });
    }
  });

  test.each([
    ['sound', async () => {}],
    ['without CURRENT', (disk: MemoryFileSystem) => disk.unlink(`${DIRECTORY}/CURRENT`)],
    ['damaged', async (disk: MemoryFileSystem) => flip(disk, (await namesEnding(disk, '.sst'))[0]!, 80)],
  ])('makes no call that could change anything, on a store that is %s', async (_name, prepare) => {
    const disk = await abandonedStore();
    await prepare(disk);
    const refused: Operation[] = [];
    const guarded = new InterceptedFileSystem(disk, {
      call: async (operation, run) => {
        if (!isReading(operation)) refused.push(operation);
        return run();
      },
      callSync: (operation, run) => {
        if (!isReading(operation)) refused.push(operation);
        return run();
      },
    });

    const report = await inspect(guarded);

    expect(report.files.length).toBeGreaterThan(4);
    expect(refused).toEqual([]);
  });

  test('works on a disk that is read-only', async () => {
    const disk = await abandonedStore();
    disk.setReadOnly(true);

    const report = await inspect(disk);

    expect(report.verdict).toBe('clean');
  });

  test('closes every file that it opens', async () => {
    const disk = await abandonedStore();
    await flip(disk, (await namesEnding(disk, '.wal'))[0]!, 80);
    let open = 0;
    const counting = new InterceptedFileSystem(disk, {
      call: async (operation, run) => {
        const result = await run();
        if (operation.kind === 'open') open++;
        if (operation.kind === 'close') open--;
        return result;
      },
      callSync: (_operation, run) => run(),
    });

    await inspect(counting);

    expect(open).toBe(0);
  });
});

describe('inspectStore while it reads', () => {
  test('tells how far it is, up to everything', async () => {
    const disk = await abandonedStore();
    await flip(disk, (await namesEnding(disk, '.sst'))[0]!, 80);
    const steps: { readonly bytes: number; readonly totalBytes: number }[] = [];

    await inspectStore(disk, DIRECTORY, { processes: fakeProcessTable(), onProgress: (step) => steps.push(step) });

    const { bytes, totalBytes } = steps.at(-1)!;
    expect(steps.length).toBeGreaterThan(5);
    expect(bytes).toBe(totalBytes);
    expect(steps.map((step) => step.bytes)).toEqual(steps.map((step) => step.bytes).toSorted((a, b) => a - b));
    expect(steps.every((step) => step.bytes <= step.totalBytes)).toBe(true);
  });

  test('ends when it is aborted, wherever it is, with every file closed', async () => {
    const disk = await abandonedStore();
    await flip(disk, (await namesEnding(disk, '.sst'))[0]!, 80);
    let endings = 0;
    for (let at = 1; ; at++) {
      const abort = new AbortController();
      let reads = 0;
      let open = 0;
      const counting = new InterceptedFileSystem(disk, {
        call: async (operation, run) => {
          const result = await run();
          if (operation.kind === 'open') open++;
          if (operation.kind === 'close') open--;
          if (operation.kind === 'read' && ++reads === at) abort.abort();
          return result;
        },
        callSync: (_operation, run) => run(),
      });

      const outcome = await inspectStore(counting, DIRECTORY, {
        processes: fakeProcessTable(),
        signal: abort.signal,
      }).catch((error: unknown) => error);

      if (reads < at) break;
      expect({ at, open }).toEqual({ at, open: 0 });
      if ((outcome as { code?: string }).code === 'KAYA_ABORTED') endings++;
    }
    expect(endings).toBeGreaterThan(20);
  });
});

interface BesideWriter {
  readonly report: RecoveryReport;
  readonly story: string;
}

interface WriterBeside {
  /** How likely the writer takes some steps before each call that the reader makes. */
  readonly pace: number;
  /** How long one call takes. Default 0, so that no look is the last for want of time. */
  readonly callMs?: number;
  readonly prepare?: (disk: MemoryFileSystem, engine: Engine) => Promise<void>;
}

/** Inspects a store while it is written to. */
async function besideWriter(seed: number, { pace, callMs = 0, prepare }: WriterBeside): Promise<BesideWriter> {
  const random = seededRandom(seed);
  const disk = new MemoryFileSystem();
  const processes = fakeProcessTable();
  const clock = new VirtualClock();
  const engine = await openTestEngine(testWorld(disk), { ...tinyOptions, processes });
  await putMany(engine, 0, 60);
  await prepare?.(disk, engine);
  const write = async (): Promise<void> => {
    if (!random.chance(pace)) return;
    if (random.chance(0.1)) await engine.flush();
    for (let count = random.int(8); count > 0; count--) {
      await engine.put(`k${random.int(40)}`, 'v'.repeat(random.int(300)));
    }
  };
  const shared = new InterceptedFileSystem(disk, {
    call: async (_operation, run) => {
      clock.advance(callMs);
      await write();
      return run();
    },
    callSync: (_operation, run) => run(),
  });

  const report = await inspectStore(shared, DIRECTORY, { processes, clock });

  await engine.close();
  const damage = report.damage.map(({ file, offset, reason }) => `${file}:${offset} ${reason}`).join('; ');
  return { report, story: `${describeSeed(seed)}, ${report.lookCount} looks: ${damage}` };
}

describe('inspectStore beside a writer', () => {
  test('looks until it can tell, and never takes work under way for damage', { timeout: 60_000 }, async () => {
    const first = testSeed();
    let looks = 0;
    for (let seed = first; seed < first + 20; seed++) {
      const { report, story } = await besideWriter(seed, { pace: 0.1 });

      const { verdict, damage, live, lookCount } = report;
      const isDecided = verdict === 'clean' || verdict === 'recoverable';
      expect({ story, verdict, isDecided, damage, live }).toEqual({
        story,
        verdict,
        isDecided: true,
        damage: [],
        live: true,
      });
      looks = Math.max(looks, lookCount);
    }
    // Otherwise the writer was in nobody's way.
    expect(looks).toBeGreaterThan(2);
  });

  test('admits that it cannot tell, when the writer is faster than any look', { timeout: 60_000 }, async () => {
    const first = testSeed();
    const verdicts = new Set<string>();
    for (let seed = first; seed < first + 4; seed++) {
      const { report, story } = await besideWriter(seed, { pace: 0.9, callMs: 500 });

      const { verdict, damage } = report;
      expect({ story, damage, isCorrupt: verdict === 'corrupt' }).toEqual({ story, damage: [], isCorrupt: false });
      verdicts.add(report.verdict);
    }
    expect(verdicts).toContain('undecided');
  });

  test('still finds damage that stays', { timeout: 60_000 }, async () => {
    const seed = testSeed();

    const { report, story } = await besideWriter(seed, {
      pace: 0.2,
      prepare: async (disk, engine) => {
        await engine.flush();
        await flip(disk, 'CURRENT', 30);
      },
    });

    expect({ story, verdict: report.verdict }).toEqual({ story, verdict: 'corrupt' });
    expect(report.damage[0]).toMatchObject({ file: 'CURRENT', offset: 0 });
  });
});
