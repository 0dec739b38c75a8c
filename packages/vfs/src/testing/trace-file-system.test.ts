import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { FileSystem } from '../file-system.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { MUTATING_OPERATIONS, TraceFileSystem } from './trace-file-system.ts';

async function doEverything(fs: FileSystem): Promise<void> {
  await fs.makeDirectory('/db/sub');
  const handle = await fs.open('/db/000001.wal', 'create');
  await handle.write(encodeUtf8('12345678'), 64);
  handle.writeSync(encodeUtf8('1'), 0);
  await handle.sync();
  handle.syncSync();
  await handle.truncate(100);
  await handle.read(new Uint8Array(10), 5);
  await handle.size();
  handle.sizeSync();
  await handle.close();
  await (await fs.open('/db/000001.wal', 'write')).close();
  await fs.openSync('/db/000001.wal', 'read').close();
  await fs.readFile('/db/000001.wal');
  await fs.readDirectory('/db');
  await fs.stat('/elsewhere');
  await fs.rename('/db/000001.wal', '/db/sub/a');
  await fs.link('/db/sub/a', '/db/b');
  await fs.unlink('/db/b');
  await fs.unlink('/db/sub/a');
  await fs.unlink('/db/sub/a').catch(() => {});
  await fs.removeDirectory('/db/sub');
  await fs.syncDirectory('/db');
  await fs.diskSpace('/db');
}

async function traceOf(kinds?: typeof MUTATING_OPERATIONS): Promise<TraceFileSystem> {
  const disk = new MemoryFileSystem();
  await disk.makeDirectory('/db');
  const trace = new TraceFileSystem(disk, '/db', kinds);
  await doEverything(trace);
  return trace;
}

describe('TraceFileSystem', () => {
  test('writes down every call, relative to the root, failures included', async () => {
    const trace = await traceOf();

    expect(trace.takeLines()).toEqual([
      'mkdir sub',
      'create 000001.wal',
      'write 000001.wal 64+8',
      'write 000001.wal 0+1',
      'sync 000001.wal',
      'sync 000001.wal',
      'truncate 000001.wal 100',
      'read 000001.wal 5+10',
      'size 000001.wal',
      'size 000001.wal',
      'close 000001.wal',
      'open 000001.wal for writing',
      'close 000001.wal',
      'open 000001.wal',
      'close 000001.wal',
      'readfile 000001.wal',
      'readdir .',
      'stat /elsewhere',
      'rename 000001.wal sub/a',
      'link sub/a b',
      'unlink b',
      'unlink sub/a',
      'unlink sub/a = ENOENT',
      'rmdir sub',
      'syncdir .',
      'diskspace .',
    ]);
    expect(trace.lines).toEqual([]);
  });

  test('leaves out what was not asked for, but never a creation', async () => {
    const trace = await traceOf(MUTATING_OPERATIONS);

    expect(trace.lines.slice(0, 4)).toEqual([
      'mkdir sub',
      'create 000001.wal',
      'write 000001.wal 64+8',
      'write 000001.wal 0+1',
    ]);
    expect(trace.lines).toHaveLength(14);
  });

  test('keeps the order in which calls were made, and marks the one that failed later', async () => {
    const trace = new TraceFileSystem(new MemoryFileSystem(), '/');

    const results = await Promise.allSettled([trace.unlink('/a'), trace.makeDirectory('/b')]);

    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled']);
    expect(trace.lines).toEqual(['unlink /a = ENOENT', 'mkdir /b']);
  });
});
