import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeFileSystem } from '../src/index.ts';
import { FaultyFileSystem, MemoryFileSystem, TraceFileSystem } from '../src/testing/index.ts';
import { describeFileSystemContract } from './file-system-contract.ts';

describeFileSystemContract('MemoryFileSystem', async () => {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/data');
  return { fs, root: '/data', [Symbol.asyncDispose]: async () => {} };
});

describeFileSystemContract('NodeFileSystem', async () => {
  const root = await mkdtemp(join(tmpdir(), 'kayadb-vfs-'));
  return { fs: nodeFileSystem(), root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
});

describeFileSystemContract('MemoryFileSystem inside a fault-free FaultyFileSystem and a TraceFileSystem', async () => {
  const fs = new TraceFileSystem(new FaultyFileSystem(new MemoryFileSystem()), '/data');
  await fs.makeDirectory('/data');
  return { fs, root: '/data', [Symbol.asyncDispose]: async () => {} };
});
