import { describe, expect, test } from 'vitest';

import { FileSystemError } from './file-system-error.ts';
import type { FileHandle } from './file-system.ts';
import { crashClone, type Fault, FaultyFileSystem, MemoryFileSystem } from './testing/index.ts';
import { undoWrite } from './undo-write.ts';

const PATH = '/log';
/** What stands in front of the write; none of the functions may touch it. */
const KEPT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const HEAD_BYTES = 32;
/** So long that its zeros take several calls. */
const RECORD = new Uint8Array(300_000).fill(0xab);

interface World {
  readonly disk: MemoryFileSystem;
  readonly fs: FaultyFileSystem;
  readonly handle: FileHandle;
}

async function openWorld(): Promise<World> {
  const disk = new MemoryFileSystem();
  const fs = new FaultyFileSystem(disk);
  const handle = await fs.open(PATH, 'create');
  await handle.write(KEPT, 0);
  await handle.sync();
  await fs.syncDirectory('/');
  return { disk, fs, handle };
}

/** Writes a part of the record, and the rest finds no room. */
function writePart({ fs, handle }: World, bytes: number): void {
  fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes, errno: 'ENOSPC' } });
  expect(() => handle.writeSync(RECORD, KEPT.length)).toThrow('ENOSPC');
}

/** What is behind the bytes that are kept, for the process and after power loss. */
async function contents({ disk }: World): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const kind of ['everything', 'nothing-unsynced', 'size-without-data'] as const) {
    const bytes = await crashClone(disk, { kind }, () => 0).readFile(PATH);
    expect(bytes.subarray(0, KEPT.length)).toEqual(KEPT);
    found.push(bytes.subarray(KEPT.length));
  }
  return found;
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function undo({ handle }: World): void {
  undoWrite(handle, KEPT.length, RECORD.length, HEAD_BYTES);
}

describe('undoWrite', () => {
  test.each([1, 31, 32, 33, 131_072, 299_999, 300_000])(
    'leaves zeros of a write of which %i bytes arrived, after power loss too',
    async (bytes) => {
      const world = await openWorld();
      writePart(world, bytes);

      undo(world);

      expect((await contents(world)).map(isZero)).toEqual([true, true, true]);
    },
  );

  test('leaves zeros of a part that had reached the disk', async () => {
    const world = await openWorld();
    writePart(world, 5000);
    await world.handle.sync();

    undo(world);

    expect((await contents(world)).map(isZero)).toEqual([true, true, true]);
  });

  test('takes back the head where there is no room for more zeros', async () => {
    const world = await openWorld();
    writePart(world, 5000);
    world.fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: HEAD_BYTES, errno: 'EDQUOT' } });

    undo(world);

    const found = await contents(world);
    expect(found.map((bytes) => isZero(bytes.subarray(0, HEAD_BYTES)))).toEqual([true, true, true]);
    expect(isZero(found[0]!)).toBe(false);
  });

  test('of a write that left nothing writes nothing and syncs nothing', async () => {
    const world = await openWorld();
    writePart(world, 0);
    const before = world.fs.countOf(['write', 'sync']);

    undo(world);

    expect(world.fs.countOf(['write', 'sync'])).toBe(before);
  });

  test('of a write among zeros that left nothing writes nothing and syncs nothing', async () => {
    const world = await openWorld();
    await world.handle.write(new Uint8Array(RECORD.length), KEPT.length);
    writePart(world, 0);
    const before = world.fs.countOf(['write', 'sync']);

    undo(world);

    expect(world.fs.countOf(['write', 'sync'])).toBe(before);
  });

  test('is over within the turn', async () => {
    const world = await openWorld();
    writePart(world, 5000);

    undo(world);

    const now = new Uint8Array(HEAD_BYTES);
    world.handle.readSync(now, KEPT.length);
    expect(isZero(now)).toBe(true);
  });

  test.each([
    ['it cannot be read back', { at: 1, kinds: ['read'], effect: { kind: 'fail', errno: 'EIO' } }, 'KAYA_IO'],
    ['zeros cannot be written', { at: 1, kinds: ['write'], effect: { kind: 'fail', errno: 'EIO' } }, 'KAYA_IO'],
    [
      'there is no room for as much as the head',
      { at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: HEAD_BYTES - 1, errno: 'ENOSPC' } },
      'KAYA_DISK_FULL',
    ],
    ['zeros cannot be synced', { at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } }, 'KAYA_IO'],
    [
      'a sync finds no room for zeros',
      { at: 1, kinds: ['sync'], effect: { kind: 'failed-sync', pages: 'clean', errno: 'ENOSPC' } },
      'KAYA_DISK_FULL',
    ],
  ] as const satisfies readonly (readonly [string, Fault, string])[])('throws when %s', async (_what, fault, code) => {
    const world = await openWorld();
    writePart(world, 5000);
    world.fs.inject(fault);

    const failure = capture(() => undo(world));

    expect(failure).toBeInstanceOf(FileSystemError);
    expect(failure).toMatchObject({ code });
  });
});

function capture(call: () => void): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
