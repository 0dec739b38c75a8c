/** The rows of a node that is not running: read where nothing may be written, and salvaged into a store of their own. */

import { openEngine } from '@kayadb/engine';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { NodeDirectory } from '../../src/directory/node-directory.ts';
import { inspectNode } from '../../src/forensics/inspect-node.ts';
import { type LogShare, type NodeRow, NodeRows } from '../../src/forensics/node-rows.ts';
import { salvageNode } from '../../src/forensics/salvage-node.ts';
import { SESSION_PREFIX, userKey } from '../../src/machine/rows.ts';
import { fileIn, flip, makeNode, optionsFor, putOf, puts, treeOf } from './node-disk.ts';

const DATA = '/data';

async function keysOf(rows: AsyncIterable<NodeRow>): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key, value, revision } of rows) {
    keys.push(`${Buffer.from(key).toString()}=${Buffer.from(value).toString()}@${revision}`);
  }
  return keys;
}

async function storeRows(fs: MemoryFileSystem, directory: string): Promise<readonly string[]> {
  await using engine = await openEngine(directory, { ...optionsFor(fs), fileSystem: fs, createIfMissing: false });
  const rows: string[] = [];
  for await (const { key, value } of engine.scan())
    rows.push(`${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`);
  return rows;
}

describe('NodeRows', { timeout: 30_000 }, () => {
  test.each<[LogShare, number, readonly string[]]>([
    ['none', 2, ['k1=v1@2']],
    ['committed', 4, ['k1=v1@2', 'k2=v2@3', 'k3=v3@4']],
    ['all', 6, ['k1=v1@2', 'k2=v2@3', 'k3=v3@4', 'k4=v4@5', 'k5=v5@6']],
  ])('are of the store, and of the entries behind it that are asked for: %s', async (log, appliedIndex, expected) => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: [1, 2, 3], commands: puts(5), commit: 4, applied: 2 });

    const rows = await NodeRows.open({ ...optionsFor(fs), directory: DATA, log });
    const found = await keysOf(rows.scan());
    await rows.close();

    expect(found).toEqual(expected);
    expect(rows.appliedIndex).toBe(appliedIndex);
  });

  test('are all that the log has where the node alone decides', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: [1], commands: puts(5), commit: 4, applied: 2 });

    const rows = await NodeRows.open({ ...optionsFor(fs), directory: DATA, log: 'committed' });
    const found = await keysOf(rows.scan());
    await rows.close();

    expect(found).toHaveLength(5);
    expect(rows.reach).toMatchObject({ commit: 6, lastIndex: 6 });
  });

  test('leave the directory as it is, byte for byte', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(40), applied: 20, snapshots: true });
    const before = await treeOf(fs, DATA);
    const changes: string[] = [];
    fs.afterEachMutation(({ operation, path }) => changes.push(`${operation} ${path}`));

    const rows = await NodeRows.open({ ...optionsFor(fs), directory: DATA, log: 'all' });
    const found = await keysOf(rows.scan());
    await rows.close();

    expect(found).toHaveLength(40);
    expect(changes).toEqual([]);
    expect(await treeOf(fs, DATA)).toEqual(before);
  });

  test("are found within bounds of users' keys, and never the machine's own", async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: ['a', 'ab', 'b', 'c'].map((key) => putOf(key, key)) });
    const rows = await NodeRows.open({ ...optionsFor(fs), directory: DATA, log: 'none' });
    const keys = async (options: Parameters<NodeRows['scan']>[0]): Promise<string> =>
      (await keysOf(rows.scan(options))).map((row) => row.split('=')[0]).join(' ');

    expect(await keys({})).toBe('a ab b c');
    expect(await keys({ prefix: 'a' })).toBe('a ab');
    expect(await keys({ gt: 'ab' })).toBe('b c');
    expect(await keys({ gte: 'ab', lt: 'c' })).toBe('ab b');
    expect(await keys({ lte: 'ab', reverse: true })).toBe('ab a');
    expect(await keys({ reverse: true, limit: 1 })).toBe('c');
    expect(await rows.get(Buffer.from('machine'))).toBeUndefined();
    await rows.close();
  });

  test.each([
    [
      'a row of the machine whose key ends too early',
      [...SESSION_PREFIX, 1, 2],
      new Uint8Array(9),
      'a key ends within',
    ],
    [
      'a row of the machine whose key has no number',
      [...SESSION_PREFIX, ...Buffer.alloc(8, 0xff)],
      new Uint8Array(9),
      'too large',
    ],
    [
      'a row of a user without a revision',
      userKey(Buffer.from('x')),
      Uint8Array.of(1),
      'does not begin with a revision',
    ],
  ])('are not read where there is %s, which is told as corruption', async (_what, key, value, reason) => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(2) });
    const { processes, clock } = optionsFor(fs);
    const options = { fileSystem: fs, processes, clock, log: 'external' } as const;
    const engine = await openEngine(`${DATA}/groups/0/store-0`, options);
    await engine.batch([{ kind: 'put', key: Uint8Array.from(key), value }], { appliedIndex: 3 });
    await engine.flush();
    await engine.close();

    const reading = async (): Promise<readonly string[]> => {
      const rows = await NodeRows.open({ ...optionsFor(fs), directory: DATA, log: 'none' });
      return keysOf(rows.scan());
    };

    await expect(reading()).rejects.toMatchObject({
      code: 'KAYA_CORRUPTION',
      message: expect.stringContaining(reason),
    });
  });

  test('are refused while a process has the directory open', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(1) });
    const options = optionsFor(fs);
    const running = await NodeDirectory.open({
      fs,
      processes: options.processes,
      directory: DATA,
      node: 1,
      drawIncarnation: () => 1,
    });

    await expect(NodeRows.open({ ...options, directory: DATA, log: 'none' })).rejects.toMatchObject({
      code: 'KAYA_LOCKED',
    });

    await running.close();
  });

  test('are those of the snapshot where the store does not reach the log', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(100), applied: 90, snapshots: true });
    await makeNode({ fs, directory: '/old', commands: puts(2) });
    const store = `${DATA}/groups/0/store-0`;
    for (const { name } of await fs.readDirectory(store)) await fs.unlink(`${store}/${name}`);
    for (const { name } of await fs.readDirectory('/old/groups/0/store-0'))
      await fs.rename(`/old/groups/0/store-0/${name}`, `${store}/${name}`);

    const { start } = await inspectNode(DATA, optionsFor(fs));
    const rows = await NodeRows.open({ ...optionsFor(fs), directory: DATA, log: 'all' });

    expect(start.snapshotRestored).toBe(90);
    expect(rows.reach?.lastIndex).toBe(101);
    expect(await keysOf(rows.scan())).toHaveLength(100);
    await rows.close();
  });
});

describe('salvageNode', { timeout: 30_000 }, () => {
  test('writes the rows of one state into a store of its own', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: [1, 2, 3], commands: puts(5), commit: 4, applied: 2 });
    const before = await treeOf(fs, DATA);

    const report = await salvageNode(DATA, '/out', { ...optionsFor(fs), log: 'committed', policy: 'provable' });

    expect(report).toMatchObject({ kind: 'whole', rowCount: 3, lastRevision: 4, appliedIndex: 4, entriesLeftOut: 2 });
    expect(await storeRows(fs, '/out')).toEqual(['k1=v1', 'k2=v2', 'k3=v3']);
    expect(await treeOf(fs, DATA)).toEqual(before);
  });

  test('takes the rows of the store where the log is damaged', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(3) });
    await flip(fs, `${DATA}/groups/0/raft/000001.rlog`, 150);

    const report = await salvageNode(DATA, '/out', { ...optionsFor(fs), log: 'committed', policy: 'provable' });

    expect(report).toMatchObject({ kind: 'whole', rowCount: 3, appliedIndex: 4, reach: null });
  });

  test('takes what the engine vouches for where the store is damaged, and leaves nothing else behind', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(3), snapshots: true });
    await flip(fs, await fileIn(fs, `${DATA}/groups/0/store-0`, '.sst'), 70);

    const report = await salvageNode(DATA, '/out', { ...optionsFor(fs), log: 'committed', policy: 'provable' });

    expect(report).toMatchObject({ kind: 'damaged', appliedIndex: null, store: { policy: 'provable' } });
    expect(await storeRows(fs, '/out')).toHaveLength(report.rowCount);
    expect((await fs.readDirectory('/')).map(({ name }) => name)).toEqual(['data', 'out']);
  });

  test('is stopped by a name that is taken, and leaves that alone', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(3) });
    await fs.makeDirectory('/out');

    const salvaging = salvageNode(DATA, '/out', { ...optionsFor(fs), log: 'none', policy: 'provable' });

    await expect(salvaging).rejects.toMatchObject({ code: 'KAYA_FS_EXISTS' });
    expect((await fs.readDirectory('/')).map(({ name }) => name)).toEqual(['data', 'out']);
  });
});
