import { MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { segmentFileName } from './file-names.ts';
import { SegmentReaders } from './segment-readers.ts';

const SEGMENTS = 12;
const MOST_OPEN = 8;

async function openWorld(): Promise<{
  readonly fs: MemoryFileSystem;
  readonly trace: TraceFileSystem;
  readonly readers: SegmentReaders;
  readonly read: (segment: number) => number;
}> {
  const fs = new MemoryFileSystem();
  for (let segment = 1; segment <= SEGMENTS; segment++) {
    const handle = await fs.open(`/${segmentFileName(segment)}`, 'create');
    await handle.write(Uint8Array.of(segment), 0);
    await handle.close();
  }
  const trace = new TraceFileSystem(fs, '/', ['open']);
  const readers = new SegmentReaders(trace, '');
  const read = (segment: number): number => {
    const byte = new Uint8Array(1);
    readers.readSync(segment, byte, 0);
    return byte[0]!;
  };
  return { fs, trace, readers, read };
}

describe('SegmentReaders', () => {
  test('keep a few files open, those that were used last', async () => {
    const { fs, trace, readers, read } = await openWorld();
    const segments = Array.from({ length: SEGMENTS }, (_, i) => i + 1);

    // The first is read again each time.
    const found = segments.map((segment) => [read(segment), read(1)]);

    expect(found).toEqual(segments.map((segment) => [segment, 1]));
    expect(trace.takeLines()).toEqual(segments.map((segment) => `open /${segmentFileName(segment)}`));
    expect(fs.openHandles).toBe(MOST_OPEN);
    await readers.close();
    expect(fs.openHandles).toBe(0);
  });

  test('let go of a segment that is about to go', async () => {
    const { fs, readers, read } = await openWorld();
    read(1);
    read(2);

    readers.forget(1);
    readers.forget(3);

    expect(read(2)).toBe(2);
    await readers.close();
    expect(fs.openHandles).toBe(0);
  });
});
