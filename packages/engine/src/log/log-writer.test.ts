import { encodeUtf8 } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';
import { crashClone, FaultyFileSystem, MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { RECORD_KIND, STORE_ID } from '../../test/support/log-disk.ts';
import { EngineError } from '../errors.ts';
import { WAL_MAGIC } from '../files/file-header.ts';
import { MAX_RECORD_PAYLOAD_BYTES } from './log-format.ts';
import { LogWriter } from './log-writer.ts';

const header = { magic: WAL_MAGIC, storeId: STORE_ID, fileNumber: 1, startLsn: 1000 } as const;

function fieldsOf(firstOrdinal: number): { kind: number; firstOrdinal: number; count: number; durableLsn: number } {
  return { kind: RECORD_KIND, firstOrdinal, count: 1, durableLsn: 0 };
}

describe('LogWriter', () => {
  test('writes a record as documented, in one piece from several parts', async () => {
    const fs = new MemoryFileSystem();
    const log = await LogWriter.create(fs, '', '000001.wal', header);

    const lsn = log.append([encodeUtf8('he'), encodeUtf8('llo')], {
      kind: 1,
      firstOrdinal: 7,
      count: 3,
      durableLsn: 990,
    });

    const bytes = await fs.readFile('/000001.wal');
    expect(lsn).toBe(1000);
    expect(log.endLsn).toBe(1040);
    expect(Buffer.from(bytes.subarray(68)).toString('hex')).toBe(
      '05000000' + // payload bytes
        'de03000000000000' + // durable LSN
        '0700000000000000' + // first ordinal
        '03000000' + // count
        '0100' + // kind
        '524b' + // marker
        '68656c6c6f' + // payload
        '000000', // padding
    );
  });

  test('pads with zeros after a longer record', async () => {
    const fs = new MemoryFileSystem();
    const log = await LogWriter.create(fs, '', '000001.wal', header);
    log.append([new Uint8Array(100).fill(0xff)], fieldsOf(1));

    log.append([Uint8Array.of(1)], fieldsOf(2));

    const bytes = await fs.readFile('/000001.wal');
    expect(bytes.subarray(-8)).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  });

  test('splits large records into writes of 128 KiB', async () => {
    const fs = new TraceFileSystem(new MemoryFileSystem(), '/db', ['write']);
    await fs.makeDirectory('/db');
    const log = await LogWriter.create(fs, '/db', '000001.wal', header);
    fs.takeLines();

    log.append([new Uint8Array(300_000)], fieldsOf(1));

    expect(fs.takeLines()).toEqual([
      'write 000001.wal 64+131072',
      'write 000001.wal 131136+131072',
      'write 000001.wal 262208+37888',
    ]);
  });

  test('takes a payload of the maximum, and refuses a longer one without harm', async () => {
    const log = await LogWriter.create(new MemoryFileSystem(), '', '000001.wal', header);
    const half = new Uint8Array(MAX_RECORD_PAYLOAD_BYTES / 2);

    expect(() => log.append([half, half, Uint8Array.of(1)], fieldsOf(1))).toThrow(RangeError);
    expect(log.append([half, half], fieldsOf(1))).toBe(1000);
  });

  test('counts as durable what was appended before the sync began', async () => {
    const log = await LogWriter.create(new MemoryFileSystem(), '', '000001.wal', header);
    log.append([new Uint8Array(8)], fieldsOf(1));
    const before = log.endLsn;

    const syncing = log.sync();
    log.append([new Uint8Array(8)], fieldsOf(2));
    await syncing;

    expect(log.durableLsn).toBe(before);
    await log.sync();
    expect(log.durableLsn).toBe(log.endLsn);
  });

  test('keeps its name and header through power loss once it is created', async () => {
    const fs = new MemoryFileSystem();
    await LogWriter.create(fs, '', '000001.wal', header);

    const disk = crashClone(fs, { kind: 'nothing-unsynced' }, () => 0);

    expect(await disk.readFile('/000001.wal')).toEqual(await fs.readFile('/000001.wal'));
  });

  test('does not overwrite a file that is there', async () => {
    const fs = new MemoryFileSystem();
    await LogWriter.create(fs, '', '000001.wal', header);

    const again = LogWriter.create(fs, '', '000001.wal', header);

    await expect(again).rejects.toMatchObject({ code: 'KAYA_FS_EXISTS' });
  });
});

describe('LogWriter with zeros ahead', () => {
  async function openFilling(): Promise<{ readonly fs: MemoryFileSystem; readonly log: LogWriter }> {
    const fs = new MemoryFileSystem();
    const handle = await fs.open('/000001.wal', 'create');
    return { fs, log: await LogWriter.start(handle, header, { fillsAhead: true }) };
  }

  async function fileBytes(fs: MemoryFileSystem): Promise<number> {
    return (await fs.stat('/000001.wal'))!.bytes;
  }

  function appendBytes(log: LogWriter, firstOrdinal: number, bytes: number): void {
    log.append([new Uint8Array(bytes - 32).fill(0xff)], fieldsOf(firstOrdinal));
  }

  test('fills at a sync only, and again when the log has outgrown them', async () => {
    const { fs, log } = await openFilling();
    const sizes: number[] = [];

    appendBytes(log, 1, 1000);
    sizes.push(await fileBytes(fs));
    await log.sync();
    sizes.push(await fileBytes(fs));
    for (let ordinal = 2; ordinal <= 19; ordinal++) {
      appendBytes(log, ordinal, 1000);
      await log.sync();
    }
    sizes.push(await fileBytes(fs));
    for (let ordinal = 20; ordinal <= 21; ordinal++) appendBytes(log, ordinal, 1000);
    await log.sync();
    sizes.push(await fileBytes(fs));

    expect(sizes).toEqual([1064, 20_480, 20_480, 45_056]);
    expect(log.fileBytes).toBe(21_064);
  });

  test('syncs as long as they last without any change of the size of the file', async () => {
    const traced = new TraceFileSystem(new MemoryFileSystem(), '/db', ['write', 'sync']);
    await traced.makeDirectory('/db');
    const handle = await traced.open('/db/000001.wal', 'create');
    const log = await LogWriter.start(handle, header, { fillsAhead: true, zeroBytes: 4096 });
    traced.takeLines();

    for (let ordinal = 1; ordinal <= 5; ordinal++) {
      appendBytes(log, ordinal, 1000);
      await log.sync();
    }

    expect(traced.takeLines()).toEqual([
      'write 000001.wal 64+1000',
      'sync 000001.wal',
      'write 000001.wal 1064+1000',
      'sync 000001.wal',
      'write 000001.wal 2064+1000',
      'sync 000001.wal',
      'write 000001.wal 3064+1000',
      'sync 000001.wal',
      'write 000001.wal 4064+1000',
      'write 000001.wal 5064+19512',
      'sync 000001.wal',
    ]);
  });

  test('goes without where a record grows the log by more than they are worth', async () => {
    const { fs, log } = await openFilling();

    appendBytes(log, 1, 600_000);
    await log.sync();

    expect(await fileBytes(fs)).toBe(log.fileBytes);
  });

  test('writes none any more once no record will follow', async () => {
    const { fs, log } = await openFilling();
    appendBytes(log, 1, 1000);

    log.endFilling();
    await log.sync();

    expect(await fileBytes(fs)).toBe(1064);
  });

  test.each([0, 5000])('goes without on a disk that has room for %i bytes of them', async (room) => {
    const { fs, log } = await openFilling();
    appendBytes(log, 1, 1000);
    fs.setCapacity(1064 + room);

    await log.sync();

    expect(log.durableLsn).toBe(log.endLsn);
    fs.setCapacity(undefined);
    appendBytes(log, 2, 1000);
    await log.sync();
    expect(await fileBytes(fs)).toBe(Math.max(2064, 1064 + room));
    expect(log.durableLsn).toBe(log.endLsn);
  });

  test('takes no more records when writing them fails with an unknown outcome', async () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem());
    const handle = await fs.open('/000001.wal', 'create');
    const log = await LogWriter.start(handle, header, { fillsAhead: true });
    appendBytes(log, 1, 1000);
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'fail', errno: 'EIO' } });

    await expect(log.sync()).rejects.toMatchObject({ code: 'KAYA_IO' });

    expect(() => appendBytes(log, 2, 1000)).toThrow(FileSystemError);
    expect(log.durableLsn).toBe(1000);
  });
});

describe('LogWriter after a failure', () => {
  async function openFaulty(): Promise<{ readonly fs: FaultyFileSystem; readonly log: LogWriter }> {
    const fs = new FaultyFileSystem(new MemoryFileSystem());
    return { fs, log: await LogWriter.create(fs, '', '000001.wal', header) };
  }

  test('of a sync never says that anything became durable', async () => {
    const { fs, log } = await openFaulty();
    log.append([new Uint8Array(8)], fieldsOf(1));
    fs.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    await expect(log.sync()).rejects.toThrow(FileSystemError);

    await expect(log.sync()).rejects.toMatchObject({ code: 'KAYA_IO' });
    expect(() => log.append([new Uint8Array(8)], fieldsOf(2))).toThrow(FileSystemError);
    expect(log.durableLsn).toBe(1000);
  });

  test('of one of two syncs in flight takes no success from the other', async () => {
    const { fs, log } = await openFaulty();
    log.append([new Uint8Array(8)], fieldsOf(1));
    fs.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    const outcomes = await Promise.allSettled([log.sync(), log.sync()]);

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(log.durableLsn).toBe(1000);
  });

  test('of a write with an unknown outcome takes no more records', async () => {
    const { fs, log } = await openFaulty();
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: 20, errno: 'EIO' } });

    expect(() => log.append([new Uint8Array(8)], fieldsOf(1))).toThrow(FileSystemError);

    expect(() => log.append([new Uint8Array(8)], fieldsOf(1))).toThrow(FileSystemError);
    await expect(log.sync()).rejects.toThrow(FileSystemError);
    expect(log.endLsn).toBe(1000);
  });

  test.each([0, 4, 40, 140_000, 199_999])('of a full disk after %i bytes leaves nothing, and goes on', async (room) => {
    const fs = new MemoryFileSystem();
    const log = await LogWriter.create(fs, '', '000001.wal', header);
    fs.setCapacity(64 + room);

    expect(() => log.append([new Uint8Array(200_000).fill(0xff)], fieldsOf(1))).toThrow('ENOSPC');

    const left = (await fs.readFile('/000001.wal')).subarray(64);
    expect(left.every((byte) => byte === 0)).toBe(true);
    expect(log.endLsn).toBe(1000);
    fs.setCapacity(undefined);
    expect(log.append([new Uint8Array(8)], fieldsOf(1))).toBe(1000);
  });

  test('of a full disk that cannot be undone takes no more records', async () => {
    const { fs, log } = await openFaulty();
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: 20, errno: 'ENOSPC' } });
    fs.inject({ at: 2, kinds: ['write'], forever: true, effect: { kind: 'fail', errno: 'ENOSPC' } });

    // Not a FileSystemError of a full disk, which would say that the log can be used again.
    expect(() => log.append([new Uint8Array(8)], fieldsOf(1))).toThrow(EngineError);
    fs.heal();

    expect(() => log.append([new Uint8Array(8)], fieldsOf(1))).toThrow('could not be taken back');
  });

  test('of a full disk that wrote the record all the same keeps it away through power loss', async () => {
    const disk = new MemoryFileSystem();
    const fs = new FaultyFileSystem(disk);
    const log = await LogWriter.create(fs, '', '000001.wal', header);
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: 1000, errno: 'ENOSPC' } });

    expect(() => log.append([Uint8Array.of(1, 2, 3)], fieldsOf(1))).toThrow('ENOSPC');

    const durable = await crashClone(disk, { kind: 'nothing-unsynced' }, () => 0).readFile('/000001.wal');
    expect(durable).toEqual(await disk.readFile('/000001.wal'));
    expect(durable.subarray(64).every((byte) => byte === 0)).toBe(true);
  });

  test('of a full disk whose undoing cannot be synced takes no more records', async () => {
    const { fs, log } = await openFaulty();
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: 20, errno: 'ENOSPC' } });
    fs.inject({ at: 1, kinds: ['sync'], effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    expect(() => log.append([new Uint8Array(8)], fieldsOf(1))).toThrow('could not be taken back');

    expect(() => log.append([new Uint8Array(8)], fieldsOf(1))).toThrow('could not be taken back');
  });

  test('of a full disk that left nothing costs no sync and no further write', async () => {
    const { fs, log } = await openFaulty();
    const before = fs.countOf(['write', 'sync']);
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'fail', errno: 'ENOSPC' } });

    expect(() => log.append([new Uint8Array(8)], fieldsOf(1))).toThrow('ENOSPC');

    expect(fs.countOf(['write', 'sync']) - before).toBe(1);
  });

  test.each([10, 64])(
    'of a full disk after %i bytes of its header leaves a file that can be tried again',
    async (bytes) => {
      const disk = new MemoryFileSystem();
      const fs = new FaultyFileSystem(disk);
      const handle = await fs.open('/000001.wal', 'create');
      await fs.syncDirectory('/');
      fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes, errno: 'ENOSPC' } });

      await expect(LogWriter.start(handle, header)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });

      for (const kind of ['everything', 'nothing-unsynced'] as const) {
        const left = await crashClone(disk, { kind }, () => 0).readFile('/000001.wal');
        expect(left.every((byte) => byte === 0)).toBe(true);
      }
      const log = await LogWriter.start(handle, { ...header, startLsn: 2000 });
      expect(log.append([new Uint8Array(8)], fieldsOf(1))).toBe(2000);
    },
  );

  test('of a header that cannot be taken back is no full disk: nobody may go on before it', async () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem());
    const handle = await fs.open('/000001.wal', 'create');
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: 64, errno: 'ENOSPC' } });
    fs.inject({ at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });

    await expect(LogWriter.start(handle, header)).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
  });

  test('while it is created closes its file', async () => {
    const inner = new MemoryFileSystem();
    const fs = new FaultyFileSystem(inner);
    fs.inject({ at: 1, kinds: ['syncDirectory'], effect: { kind: 'fail', errno: 'EIO' } });

    await expect(LogWriter.create(fs, '', '000001.wal', header)).rejects.toThrow(FileSystemError);

    expect(fs.countOf(['close'])).toBe(1);
  });
});
