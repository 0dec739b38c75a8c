import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { loadConfig } from './config.ts';
import { automaticLimits, resolveDiskLimits } from './disk-limits.ts';
import { parseFlags } from './flags.ts';

const MIB = 1024 * 1024;

describe('automaticLimits', () => {
  test.each([
    [0, 0, 0],
    [40 * MIB, 2 * MIB, 838_860],
    [3200 * MIB, 160 * MIB, 64 * MIB],
    [1024 * 1024 * MIB, 256 * MIB, 64 * MIB],
  ])('of a disk of %i bytes are %i and %i', (totalBytes, diskLowBytes, diskReserveBytes) => {
    expect(automaticLimits(totalBytes)).toEqual({ diskLowBytes, diskReserveBytes });
  });
});

describe('resolveDiskLimits', () => {
  async function resolve(argv: readonly string[], disk: MemoryFileSystem): Promise<object> {
    const invocation = parseFlags(argv, {});
    if (invocation.kind !== 'run') throw new Error('it printed instead');
    return resolveDiskLimits(await loadConfig(invocation, {}, disk), disk);
  }

  test('measures the folder above while there is no data folder yet', async () => {
    const disk = new MemoryFileSystem({ capacityBytes: 40 * MIB });

    expect(await resolve(['--data', '/data'], disk)).toEqual(automaticLimits(40 * MIB));
  });

  test('takes what was said', async () => {
    const argv = ['--disk-low-bytes', '0', '--disk-reserve-bytes', '4096'];

    expect(await resolve(argv, new MemoryFileSystem())).toEqual({ diskLowBytes: 0, diskReserveBytes: 4096 });
  });

  test('sets none on a disk that cannot be measured', async () => {
    const disk = new MemoryFileSystem();

    expect(await resolve(['--data', '/none/data'], disk)).toEqual({ diskLowBytes: 0, diskReserveBytes: 0 });
  });
});
