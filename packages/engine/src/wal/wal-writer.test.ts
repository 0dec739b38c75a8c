import type { FileSystem } from '@kayadb/vfs';
import {
  crashClone,
  FaultyFileSystem,
  InterceptedFileSystem,
  MemoryFileSystem,
  TraceFileSystem,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { STORE_ID } from '../../test/support/log-disk.ts';
import { WriteBatch } from '../key/write-batch.ts';
import { replayWal } from './wal-replay.ts';
import { WalWriter } from './wal-writer.ts';

async function openWal(fs: FileSystem, startLsn = 0): Promise<WalWriter> {
  let fileNumber = 1;
  return WalWriter.create({
    fs,
    directory: '/db',
    storeId: STORE_ID,
    startLsn,
    allocateFileNumber: () => fileNumber++,
  });
}

async function newDisk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/db');
  return fs;
}

/** Appends one put, which takes up 48 bytes. */
function append(wal: WalWriter, firstSequence: number): number {
  return wal.append({ firstSequence, count: 1, payloads: [new WriteBatch().put('key', 'value').bytes] });
}

describe('WalWriter', () => {
  test('does these file operations from creation over a rotation to closing', async () => {
    const fs = new TraceFileSystem(await newDisk(), '/db', ['write', 'sync', 'syncDirectory', 'close']);

    const wal = await openWal(fs);
    append(wal, 1);
    await wal.sync();
    append(wal, 2);
    await wal.prepare();
    await wal.rotate();
    append(wal, 3);
    await wal.sync();
    await wal.close();

    await expect(`${fs.takeLines().join('\n')}\n`).toMatchFileSnapshot('../../test/golden/wal-writer-files.txt');
  });

  test('goes on at the LSN it is told, in segments that join', async () => {
    const wal = await openWal(await newDisk(), 5000);

    const ends = [append(wal, 1), append(wal, 2)];
    const second = await wal.rotate();
    ends.push(append(wal, 3));

    expect(ends).toEqual([5048, 5096, 5144]);
    expect(wal.endLsn).toBe(5144);
    expect([second, wal.fileNumber]).toEqual([2, 2]);
  });

  test('says a record is durable only when the segment before is', async () => {
    const fs = new FaultyFileSystem(await newDisk());
    const wal = await openWal(fs);
    const first = append(wal, 1);
    await wal.rotate();
    const second = append(wal, 2);
    expect(wal.durableLsn).toBe(0);
    fs.inject({
      at: 1,
      kinds: ['sync'],
      matchesPath: (path) => path.endsWith('000002.wal'),
      effect: { kind: 'fail', errno: 'EIO' },
    });

    await expect(wal.sync()).rejects.toThrow('EIO');

    expect(wal.durableLsn).toBe(0);
    expect([first, second]).toEqual([48, 96]);
  });

  test('syncs segments left behind before the current one', async () => {
    const fs = new TraceFileSystem(await newDisk(), '/db', ['sync', 'close']);
    const wal = await openWal(fs);
    for (let sequence = 1; sequence <= 3; sequence++) {
      append(wal, sequence);
      if (sequence < 3) await wal.rotate();
    }
    fs.takeLines();

    await wal.sync();

    expect(fs.takeLines()).toEqual([
      'sync 000001.wal',
      'sync 000002.wal',
      'sync 000003.wal',
      'close 000001.wal',
      'close 000002.wal',
    ]);
    expect(wal.durableLsn).toBe(144);
  });

  test('does not sync what is durable already', async () => {
    const fs = new TraceFileSystem(await newDisk(), '/db', ['sync']);
    const wal = await openWal(fs);
    append(wal, 1);
    await wal.sync();
    fs.takeLines();

    await wal.sync();

    expect(fs.takeLines()).toEqual([]);
  });

  test('writes the durable LSN of the whole log into each record', async () => {
    const fs = await newDisk();
    const wal = await openWal(fs);
    append(wal, 1);
    await wal.sync();
    append(wal, 2);
    await wal.rotate();
    append(wal, 3);
    await wal.sync();
    append(wal, 4);

    const bytes = await fs.readFile('/db/000002.wal');

    const durableLsns = [64, 112].map((offset) => new DataView(bytes.buffer).getUint32(offset + 8, true));
    expect(durableLsns).toEqual([48, 144]);
  });

  test('lets a later sync cover what was appended during one in flight', async () => {
    const wal = await openWal(await newDisk());
    append(wal, 1);

    const syncing = wal.sync();
    append(wal, 2);
    await Promise.all([syncing, wal.sync()]);

    expect(wal.durableLsn).toBe(96);
  });

  test('does not take the start of a new segment for durable when the one before got more groups during its sync', async () => {
    const inner = await newDisk();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let held = false;
    const fs = new InterceptedFileSystem(inner, {
      call: async ({ kind, paths }, run) => {
        if (kind === 'sync' && held && paths[0] === '/db/000001.wal') await gate;
        return run();
      },
      callSync: (_, run) => run(),
    });
    const wal = await openWal(fs);
    append(wal, 1);
    held = true;
    const syncing = wal.sync();
    await wal.prepare();
    append(wal, 2);
    await wal.rotate();

    release();
    await syncing;

    expect(wal.durableLsn).toBe(48);
  });

  test('takes no group while it rotates or after it was closed', async () => {
    const wal = await openWal(await newDisk());

    const rotating = wal.rotate();

    expect(() => append(wal, 1)).toThrow('while the log rotates');
    await rotating;
    await wal.close();
    await wal.close();
    expect(() => append(wal, 1)).toThrow('after it was closed');
  });
});

describe('WalWriter with zeros ahead', () => {
  test('loses exactly a record that is torn among them, at whatever byte', async () => {
    const fs = await newDisk();
    await fs.syncDirectory('/');
    const wal = await openWal(fs);
    append(wal, 1);
    await wal.sync();
    append(wal, 2);

    const found: string[] = [];
    for (let bytes = 0; bytes <= 48; bytes++) {
      const torn = crashClone(fs, { kind: 'torn-last-write', bytes }, () => 0);
      const sequences: number[] = [];
      const { verdict } = await replayWal(
        { fs: torn, directory: '/db', storeId: STORE_ID, segments: [1], oldestSegment: 1, flushedSequence: 0 },
        ({ firstSequence }) => void sequences.push(firstSequence),
      );
      found.push(`${sequences.join()} ${verdict.kind} at ${verdict.lsn}`);
    }

    // It has no padding, so it takes every byte to verify.
    expect(found.slice(0, 48).every((line) => line === '1 end at 48' || line === '1 torn at 48')).toBe(true);
    expect(found[0]).toBe('1 end at 48');
    expect(found.at(-1)).toBe('1,2 end at 96');
  });

  test('closes in good order in front of them', async () => {
    const fs = await newDisk();
    const wal = await openWal(fs);
    append(wal, 1);
    await wal.sync();
    const cleanClose = { segment: 1, endLsn: wal.endLsn, lastSequence: 1 };
    await wal.close();

    const { verdict } = await replayWal(
      { fs, directory: '/db', storeId: STORE_ID, segments: [1], oldestSegment: 1, flushedSequence: 0, cleanClose },
      () => undefined,
    );

    expect((await fs.stat('/db/000001.wal'))!.bytes).toBe(20_480);
    expect(verdict).toMatchObject({ kind: 'end', lsn: 48, offset: 112 });
  });
});

describe('WalWriter.prepare', () => {
  test('leaves a file of durable zeros, which reads as never used', async () => {
    const fs = await newDisk();
    await fs.syncDirectory('/');
    const wal = await openWal(fs);
    append(wal, 1);

    await wal.prepare();
    await wal.prepare();

    const disk = crashClone(fs, { kind: 'nothing-unsynced' }, () => 0);
    expect(await disk.readFile('/db/000002.wal')).toEqual(new Uint8Array(4096));
    expect(await disk.stat('/db/000003.wal')).toBeUndefined();
  });

  test('goes without zeros when there is no room for them', async () => {
    const fs = await newDisk();
    const wal = await openWal(fs);
    append(wal, 1);
    fs.setCapacity(64 + 48 + 1000);

    await wal.prepare();

    expect((await fs.stat('/db/000002.wal'))!.bytes).toBe(0);
    expect(await wal.rotate()).toBe(2);
    expect(append(wal, 2)).toBe(96);
  });

  test.each(['write', 'sync', 'syncDirectory'] as const)(
    'comes up at the rotation when its %s failed',
    async (kind) => {
      const fs = new FaultyFileSystem(await newDisk());
      const wal = await openWal(fs);
      fs.inject({ at: 1, kinds: [kind], effect: { kind: 'fail', errno: 'EIO' } });

      await expect(wal.prepare()).rejects.toThrow('EIO');

      await expect(wal.rotate()).rejects.toThrow('EIO');
      expect(append(wal, 1)).toBe(48);
      await wal.close();
    },
  );
});

describe('WalWriter on a full disk', () => {
  test('undoes a group and goes on when there is room again', async () => {
    const fs = await newDisk();
    const wal = await openWal(fs);
    append(wal, 1);
    fs.setCapacity(64 + 48 + 20);

    expect(() => append(wal, 2)).toThrow('ENOSPC');

    fs.setCapacity(undefined);
    expect(append(wal, 2)).toBe(96);
    await wal.sync();
    expect(wal.durableLsn).toBe(96);
  });

  test.each([0, 30])('can try again to rotate when %i bytes were left', async (room) => {
    const fs = await newDisk();
    const wal = await openWal(fs);
    append(wal, 1);
    fs.setCapacity(64 + 48 + room);

    await expect(wal.rotate()).rejects.toThrow('ENOSPC');

    expect(wal.fileNumber).toBe(1);
    fs.setCapacity(undefined);
    expect(await wal.rotate()).toBe(2);
    expect(append(wal, 2)).toBe(96);
  });

  test('can try again when there are too many open files', async () => {
    const fs = new FaultyFileSystem(await newDisk());
    const wal = await openWal(fs);
    fs.inject({ at: 1, kinds: ['open'], effect: { kind: 'fail', errno: 'EMFILE' } });

    await expect(wal.prepare()).rejects.toThrow('EMFILE');

    await wal.prepare();
    expect(await wal.rotate()).toBe(3);
  });

  test.each(['sync', 'syncDirectory'] as const)('does not rotate after a failed %s', async (kind) => {
    const fs = new FaultyFileSystem(await newDisk());
    const wal = await openWal(fs);
    fs.inject({ at: 1, kinds: [kind], effect: { kind: 'fail', errno: 'EIO' } });

    await expect(wal.rotate()).rejects.toThrow('EIO');

    await expect(wal.rotate()).rejects.toThrow('EIO');
    expect(wal.fileNumber).toBe(1);
    await wal.close();
  });
});

describe('WalWriter.release', () => {
  test('closes segments that tables hold, unsynced, and counts them as durable', async () => {
    const fs = new FaultyFileSystem(await newDisk());
    const wal = await openWal(fs);
    append(wal, 1);
    const second = await wal.rotate();
    append(wal, 2);
    await wal.rotate();
    append(wal, 3);
    const syncs = fs.countOf(['sync']);

    await wal.release(second);

    expect([fs.countOf(['close']), fs.countOf(['sync'])]).toEqual([1, syncs]);
    expect(wal.durableLsn).toBe(48);
    await wal.sync();
    expect(wal.durableLsn).toBe(144);
  });

  test('never closes the segment in use', async () => {
    const fs = new FaultyFileSystem(await newDisk());
    const wal = await openWal(fs);
    append(wal, 1);

    await wal.release(99);

    append(wal, 2);
    expect(fs.countOf(['close'])).toBe(0);
    expect(wal.durableLsn).toBe(0);
  });
});
