/** `inspectNode` on directories that are sound, torn, damaged in each kind of file, and half there. */

import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { inspectNode } from '../../src/forensics/inspect-node.ts';
import { CLUSTER, fileIn, flip, makeNode, optionsFor, puts, TERM, treeOf } from './node-disk.ts';

const DATA = '/data';
const RAFT = `${DATA}/groups/0/raft`;

describe('inspectNode', { timeout: 30_000 }, () => {
  test('tells of a sound node what it is, and what its start would do', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: [1, 2, 3], commands: puts(5), commit: 4, applied: 3 });

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report).toMatchObject({
      format: 1,
      verdict: 'clean',
      live: false,
      node: { id: 1, incarnation: 71, boot: 1, cluster: CLUSTER, removed: false },
      log: {
        term: TERM,
        vote: 1,
        firstIndex: 2,
        lastIndex: 6,
        lastTerm: TERM,
        commit: 4,
        snapshotIndex: 1,
        configuration: { voters: [1, 2, 3] },
        tail: 'blank',
      },
      machine: { index: 3, term: TERM, level: 1, sessionCount: 0 },
      storeFolder: 'groups/0/store-0',
      store: { verdict: 'clean', log: 'external', durableIndex: 3 },
      start: { outcome: 'starts', appliedIndex: 3, entriesReplayed: 1, entriesUndecided: 2, snapshotRestored: null },
      damage: [],
    });
    expect(report.files.map(({ name, state }) => `${name} ${state}`)).toContain('groups/0/raft/000001.rlog intact');
    expect(report.files.some(({ kind, state }) => kind === 'snapshot-file' && state === 'intact')).toBe(true);
  });

  test('changes nothing, and opens everything for reading only', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(3), snapshots: true });
    const before = await treeOf(fs, DATA);
    const changes: string[] = [];
    fs.afterEachMutation(({ operation, path }) => changes.push(`${operation} ${path}`));

    await inspectNode(DATA, optionsFor(fs));

    expect(changes).toEqual([]);
    expect(await treeOf(fs, DATA)).toEqual(before);
  });

  test.each([
    ['NODE', () => `${DATA}/NODE`, 30, 'KAYA_CORRUPTION', 'NODE', 0],
    [
      'a record of the log',
      () => `${RAFT}/000001.rlog`,
      96 + 48 + 60,
      'KAYA_RAFT_CORRUPTION',
      'groups/0/raft/000001.rlog',
      144,
    ],
    [
      'the header of a segment',
      () => `${RAFT}/000001.rlog`,
      20,
      'KAYA_RAFT_CORRUPTION',
      'groups/0/raft/000001.rlog',
      0,
    ],
    ['the header of the state', () => `${RAFT}/raft-state`, 20, 'KAYA_RAFT_CORRUPTION', 'groups/0/raft/raft-state', 0],
    [
      'the snapshot',
      () => `${RAFT}/raft-snapshot.bin`,
      100,
      'KAYA_RAFT_CORRUPTION',
      'groups/0/raft/raft-snapshot.bin',
      96,
    ],
  ])('names damage in %s, and that the start is refused for it', async (_what, pathOf, at, code, file, offset) => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(3) });
    await flip(fs, pathOf(), at);

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report.verdict).toBe('corrupt');
    expect(report.damage[0]).toMatchObject({ file, offset });
    expect(report.start).toMatchObject({ outcome: 'refused', code, file, offset });
    expect(report.files.find(({ name }) => name === file)).toMatchObject({ state: 'corrupt' });
  });

  test('names damage in a table of the store, with its path', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(3), snapshots: true });
    const table = await fileIn(fs, `${DATA}/groups/0/store-0`, '.sst');
    await flip(fs, table, 70);

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report.verdict).toBe('corrupt');
    expect(report.damage.map(({ file }) => file)).toContain(table.slice(DATA.length + 1));
    // The same file has a second name in the snapshot.
    expect(report.damage.map(({ file }) => file)).toContain(
      table.slice(DATA.length + 1).replace('store-0', 'snapshots/4'),
    );
  });

  test('finds a snapshot without its files', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(3), snapshots: true });
    const folder = `${DATA}/groups/0/snapshots/4`;
    await fs.unlink(await fileIn(fs, folder, 'CURRENT'));

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report.damage).toEqual([
      { file: 'groups/0/snapshots/4/CURRENT', offset: 0, reason: 'the snapshot names this file, and it is missing' },
    ]);
  });

  test('tells a log that ends in front of what the store has applied', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(5) });
    await makeNode({ fs, directory: '/other', commands: puts(1) });
    for (const name of ['000001.rlog', 'raft-state', 'raft-snapshot.bin'])
      await fs.rename(`/other/groups/0/raft/${name}`, `${RAFT}/${name}`);

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report.start).toMatchObject({ outcome: 'refused', code: 'KAYA_RAFT_FOREIGN', file: 'groups/0/store-0' });
    expect(report.verdict).toBe('corrupt');
  });

  test('tells files of another node', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(2) });
    await makeNode({ fs, directory: '/other', node: 2, voters: [2], commands: puts(2) });
    await fs.rename('/other/groups/0/raft/raft-state', `${RAFT}/raft-state`);

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report.start).toMatchObject({ outcome: 'refused', code: 'KAYA_RAFT_FOREIGN' });
    expect(report.files.find(({ name }) => name.endsWith('raft-state'))).toMatchObject({ state: 'foreign' });
    expect(report.damage[0]?.file).toBe('groups/0/raft/raft-state');
  });

  test('knows a directory whose NODE is gone, and goes on to the rest', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(2) });
    await fs.unlink(`${DATA}/NODE`);

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report).toMatchObject({
      verdict: 'corrupt',
      node: null,
      start: { outcome: 'refused', code: 'KAYA_NODE_LOST' },
    });
    expect(report.files.find(({ name }) => name.endsWith('.rlog'))).toMatchObject({ state: 'intact', entryCount: 2 });
    expect(report.store?.verdict).toBe('clean');
  });

  test("lists what the next start removes, and leaves what is nobody's alone", async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(2) });
    for (const path of ['NODE.tmp', 'groups/0/raft/next.rlog.tmp', 'notes.txt'])
      await (await fs.open(`${DATA}/${path}`, 'create')).close();
    for (const path of ['groups/0/snapshots/77', 'groups/0/store-0.tmp']) await fs.makeDirectory(`${DATA}/${path}`);

    const report = await inspectNode(DATA, optionsFor(fs));

    expect(report.verdict).toBe('clean');
    expect(report.start.removed.filter((name) => !name.startsWith('groups/0/store-0/'))).toEqual([
      'NODE.tmp',
      'groups/0/raft/next.rlog.tmp',
      'groups/0/snapshots/77',
      'groups/0/store-0.tmp',
    ]);
    expect(report.warnings).toContain('notes.txt: not a name that a node gives; it is left alone');
  });
});
