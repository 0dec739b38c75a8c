/** A group that has lost its majority: which directory is to go on, and the cluster that is made of it. */

import { bootstrapGroup, EMPTY_CONFIGURATION, openRaftStorage, RaftNode } from '@kayadb/raft';
import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { crashClones, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { NodeDirectory } from '../../src/directory/node-directory.ts';
import { foundCluster, type FoundCluster, REVISION_GAP } from '../../src/forensics/found-cluster.ts';
import { inspectNode } from '../../src/forensics/inspect-node.ts';
import { NodeRows } from '../../src/forensics/node-rows.ts';
import { parseNodeSummary, summarizeNode } from '../../src/forensics/node-summary.ts';
import { planQuorum, type QuorumSource } from '../../src/forensics/plan-quorum.ts';
import type { Command, Member } from '../../src/machine/command.ts';
import { encodeCommand } from '../../src/machine/encode-command.ts';
import { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { CLUSTER, flip, makeNode, type NodeDisk, optionsFor, putOf, puts, treeOf } from './node-disk.ts';

const VOTERS = [1, 2, 3];

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

function member(node: number): Command {
  const place: Member = {
    node,
    incarnation: 70 + node,
    level: 1,
    isToBePromoted: false,
    peerAddress: `n${node}:1`,
    clientAddress: `n${node}:2`,
  };
  return { kind: 'put-member', member: place, timeMs: 5 };
}

async function sourcesOf(
  fs: MemoryFileSystem,
  disks: readonly Omit<NodeDisk, 'fs'>[],
): Promise<readonly QuorumSource[]> {
  const sources: QuorumSource[] = [];
  for (const disk of disks) {
    const directory = `/node-${disk.node}`;
    await makeNode({ fs, directory, voters: VOTERS, ...disk });
    sources.push({
      name: directory,
      isDirectory: true,
      summary: summarizeNode(await inspectNode(directory, optionsFor(fs))),
    });
  }
  return sources;
}

/** Deterministic, and different for each. */
function randomOf(seed: number): (count: number) => Uint8Array {
  const random = seededRandom(seed);
  return (count) => random.bytes(count);
}

function found(fs: MemoryFileSystem, seed = 1): Promise<FoundCluster> {
  return foundCluster({ ...optionsFor(fs), directory: '/data', target: '/new', randomBytes: randomOf(seed) });
}

describe('planQuorum', { timeout: 30_000 }, () => {
  test('ranks by the last term, then by the last index', async () => {
    const fs = new MemoryFileSystem();
    const sources = await sourcesOf(fs, [
      { node: 1, commands: puts(9), commit: 4, term: 2 },
      { node: 2, commands: puts(6), commit: 5, term: 3 },
    ]);

    const plan = planQuorum(sources);

    expect(plan.candidates.map(({ node, lastTerm, lastIndex, commit }) => [node, lastTerm, lastIndex, commit])).toEqual(
      [
        [2, 3, 7, 5],
        [1, 2, 10, 4],
      ],
    );
    expect(plan).toMatchObject({ cluster: CLUSTER, voters: VOTERS, present: [1, 2], missing: [3], hasQuorum: true });
    expect(plan.warnings).toEqual([expect.stringContaining('never committed')]);
    expect(plan.refusals).toEqual([expect.stringContaining('start these nodes')]);
  });

  test('says that what the missing majority acknowledged cannot be known, and what is kept though it may never have been acknowledged', async () => {
    const fs = new MemoryFileSystem();
    const sources = await sourcesOf(fs, [{ node: 2, commands: puts(9), commit: 4 }]);

    const plan = planQuorum(sources);

    expect(plan).toMatchObject({
      present: [2],
      missing: [1, 3],
      hasQuorum: false,
      loss: 'unknown',
      knownCommit: 4,
      undecidedEntries: 6,
      refusals: [],
    });
  });

  test('knows that nothing is lost where no majority fits into the missing', async () => {
    const fs = new MemoryFileSystem();
    const sources = await sourcesOf(fs, [
      { node: 1, voters: [1, 2, 3, 4], commands: puts(3) },
      { node: 2, voters: [1, 2, 3, 4], commands: puts(4) },
    ]);

    const plan = planQuorum(sources);

    expect(plan).toMatchObject({ hasQuorum: false, loss: 'nothing', refusals: [] });
    expect(plan.candidates[0]).toMatchObject({ node: 2, flaw: null });
  });

  test('puts damaged directories behind all others, and counts them as missing', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, directory: '/node-1', voters: VOTERS, commands: puts(9) });
    await flip(fs, '/node-1/groups/0/raft/000001.rlog', 150);
    const damaged = {
      name: '/node-1',
      isDirectory: true,
      summary: summarizeNode(await inspectNode('/node-1', optionsFor(fs))),
    };
    const [sound] = await sourcesOf(fs, [{ node: 2, commands: puts(3) }]);

    const plan = planQuorum([damaged, sound!]);

    expect(plan.candidates.map(({ node, flaw }) => [node, flaw?.slice(0, 8) ?? null])).toEqual([
      [2, null],
      [1, 'damaged:'],
    ]);
    expect(plan).toMatchObject({ present: [2], missing: [1, 3], loss: 'unknown' });
    expect(plan.warnings).toEqual([
      expect.stringContaining('/node-1: node 1 is damaged, and may have committed writes'),
    ]);
  });

  test('counts by the configuration before a change, too, as long as nobody knows that change to be committed', async () => {
    const fs = new MemoryFileSystem();
    const [source] = await sourcesOf(fs, [{ node: 1, voters: [1, 2], commands: puts(3), commit: 2 }]);
    const { summary } = source!;
    const log = { ...summary.log!, configuration: { ...EMPTY_CONFIGURATION, voters: [1] } };
    const changing = { ...source!, summary: { ...summary, log } };
    const changed = { ...log, committedConfiguration: log.configuration };

    const plan = planQuorum([changing]);
    const later = planQuorum([{ ...changing, summary: { ...summary, log: changed } }]);

    // Alone it could not commit the change that makes it alone: starting it would help nobody.
    expect(plan).toMatchObject({ voters: [1], votersOutgoing: [1, 2], present: [1], missing: [2], hasQuorum: false });
    expect(plan.refusals).toEqual([]);
    expect(later).toMatchObject({ voters: [1], votersOutgoing: [], missing: [], hasQuorum: true });
  });

  test.each([
    ['makes the missing a majority', [1, 2, 3, 4], [1, 2, 3], [3, 4], 'unknown'],
    ['takes it from them, if it has come into force', [1, 2, 3], [1, 2, 3, 4], [3, 4], 'unknown'],
    ['leaves them none either way', [1, 2, 3, 4], [1, 2, 3, 4, 5], [1, 2, 5], 'nothing'],
  ] as const)('says what may be lost where the last change %s', async (_what, committed, last, here, loss) => {
    const fs = new MemoryFileSystem();
    const made = await sourcesOf(
      fs,
      here.map((node) => ({ node, commands: puts(3), commit: 2 })),
    );
    const sources = made.map((source) => {
      const configuration = { ...EMPTY_CONFIGURATION, voters: last };
      const committedConfiguration = { ...EMPTY_CONFIGURATION, voters: committed };
      const log = { ...source.summary.log!, configuration, committedConfiguration };
      return { ...source, summary: { ...source.summary, log } };
    });

    const plan = planQuorum(sources);

    expect(plan).toMatchObject({ loss, hasQuorum: false });
  });

  test('refuses directories of two clusters', async () => {
    const fs = new MemoryFileSystem();
    const sources = await sourcesOf(fs, [
      { node: 1, commands: puts(1) },
      { node: 2, cluster: 'cd'.repeat(16) },
    ]);

    expect(() => planQuorum(sources)).toThrow('name the directories of one cluster');
  });

  test('counts one directory of a node that has two', async () => {
    const fs = new MemoryFileSystem();
    const [first] = await sourcesOf(fs, [{ node: 2, commands: puts(3) }]);
    await makeNode({ fs, directory: '/older', node: 2, voters: VOTERS, commands: puts(1) });
    const older = {
      name: '/older',
      isDirectory: true,
      summary: summarizeNode(await inspectNode('/older', optionsFor(fs))),
    };

    const plan = planQuorum([older, first!]);

    expect(plan.candidates.map(({ name }) => name)).toEqual(['/node-2', '/older']);
    expect(plan.present).toEqual([2]);
    expect(plan.warnings).toEqual([expect.stringContaining('both of node 2')]);
  });

  test('counts no directory that the group has replaced, which none of its nodes would hear', async () => {
    const fs = new MemoryFileSystem();
    const replaced: Command = { kind: 'drop-member', node: 3, timeMs: 6 };
    const sources = await sourcesOf(fs, [
      { node: 2, commands: [...VOTERS.map(member), replaced, ...puts(5)] },
      { node: 3, commands: VOTERS.map(member) },
    ]);

    const plan = planQuorum(sources);

    expect(plan).toMatchObject({ present: [2], missing: [1, 3], hasQuorum: false, refusals: [] });
    expect(plan.warnings).toEqual([
      expect.stringContaining('/node-3: the group has removed node 3 with this directory'),
    ]);
  });

  test('is the same from summaries that were written down', async () => {
    const fs = new MemoryFileSystem();
    const sources = await sourcesOf(fs, [{ node: 1, commands: puts(3) }]);

    const read = sources.map((source) => ({ ...source, summary: parseNodeSummary(JSON.stringify(source.summary))! }));

    expect(planQuorum(read)).toEqual(planQuorum(sources));
    expect(parseNodeSummary('{"kind":"kayadb-node-summary","format":1}')).toBeUndefined();
    expect(parseNodeSummary('no JSON')).toBeUndefined();
  });
});

describe('foundCluster', { timeout: 30_000 }, () => {
  test('keeps every entry of the log, and leaves the node as the only member', async () => {
    const fs = new MemoryFileSystem();
    const commands = [...VOTERS.map(member), ...puts(6)];
    await makeNode({ fs, node: 2, voters: VOTERS, commands, commit: 5, applied: 4, snapshots: true });
    const before = await treeOf(fs, '/data');

    const made = await found(fs);

    expect(made).toMatchObject({ node: 2, oldCluster: CLUSTER, lastIndex: 10, dropped: [1, 3] });
    expect(await treeOf(fs, '/data')).toEqual(before);
    const report = await inspectNode('/new', optionsFor(fs));
    expect(report).toMatchObject({
      verdict: 'clean',
      node: { id: 2, incarnation: made.incarnation, boot: 1, cluster: made.cluster, removed: false },
      log: { firstIndex: made.baseIndex + 1, lastIndex: made.baseIndex, configuration: { voters: [2] } },
      machine: { members: [{ node: 2, incarnation: made.incarnation, peerAddress: 'n2:1' }] },
      start: { outcome: 'starts', appliedIndex: made.baseIndex, entriesReplayed: 0 },
    });
    const rows = await NodeRows.open({ ...optionsFor(fs), directory: '/new', log: 'none' });
    for (let i = 1; i <= 6; i++)
      expect(await rows.get(Buffer.from(`k${i}`))).toEqual({
        key: Buffer.from(`k${i}`),
        value: bytes(`v${i}`),
        revision: 4 + i,
      });
    await rows.close();
  });

  test('gives no revision and no session twice, and has an identity of its own', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: VOTERS, commands: puts(3) });

    const made = await found(fs);

    expect(made.baseIndex).toBeGreaterThanOrEqual(made.lastIndex + REVISION_GAP);
    expect(made.cluster).toMatch(/^[0-9a-f]{32}$/);
    expect(made.cluster).not.toBe(CLUSTER);
    expect(made.incarnation).not.toBe(71);
    await fs.rename('/data/groups/0/raft/raft-state', '/new/groups/0/raft/raft-state');
    expect((await inspectNode('/new', optionsFor(fs))).start).toMatchObject({
      outcome: 'refused',
      code: 'KAYA_RAFT_FOREIGN',
    });
  });

  test('makes a cluster that leads itself and takes writes', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, node: 3, voters: VOTERS, commands: puts(3) });
    const { cluster, incarnation, baseIndex } = await found(fs);
    const clock = new VirtualClock();
    const identity = { clusterId: Buffer.from(cluster, 'hex'), nodeId: 3, incarnation };
    const storage = await openRaftStorage('/new/groups/0/raft', { fs, identity });
    const { processes } = optionsFor(fs);
    const snapshot = storage.snapshot();
    const machine = await KayaMachine.open({
      fs,
      directory: '/new/groups/0',
      engine: { fileSystem: fs, processes, clock },
      clock,
      yieldTurn: () => Promise.resolve(),
      snapshot: snapshot === 'unavailable' ? undefined : snapshot,
    });
    expect(
      await bootstrapGroup(storage, machine, {
        voters: [3],
        votersOutgoing: [],
        learners: [],
        learnersNext: [],
        autoLeave: false,
      }),
    ).toBe(false);
    const random = seededRandom(1);
    const node = await RaftNode.open({
      id: 3,
      storage,
      stateMachine: machine,
      sender: { send: () => undefined },
      shipper: { ship: () => Promise.resolve() },
      clock,
      random: (limit) => random.int(limit),
      yieldTurn: () => Promise.resolve(),
      tickMs: 100,
    });
    node.campaign();
    for (let i = 0; i < 100 && node.status().role !== 'leader'; i++) await clock.advanceAsync(100);

    const { index } = await node.propose(encodeCommand(putOf('new', 'yes')));

    expect(index).toBeGreaterThan(baseIndex);
    expect(await machine.get(Buffer.from('new'))).toMatchObject({ value: bytes('yes') });
    expect(await machine.get(Buffer.from('k3'))).toMatchObject({ value: bytes('v3') });
    await node.close();
    await machine.close();
    await storage.close();
  });

  test(
    'leaves the old directory, and of the new one all or nothing, after a crash at any moment',
    { timeout: 120_000 },
    async () => {
      const seed = testSeed();
      const random = seededRandom(seed);
      const fs = new MemoryFileSystem();
      await makeNode({ fs, voters: VOTERS, commands: puts(4), commit: 3, applied: 2 });
      const before = await treeOf(fs, '/data');
      const crashes: { readonly disk: MemoryFileSystem; readonly isDone: boolean }[] = [];
      let isDone = false;
      const stop = fs.afterEachMutation(() => {
        for (const { disk } of crashClones(fs, () => random.next())) crashes.push({ disk, isDone });
      });
      const made = await found(fs, seed);
      isDone = true;
      for (const { disk } of crashClones(fs, () => random.next())) crashes.push({ disk, isDone });
      stop();

      const outcomes = new Set<string>();
      for (const { disk, isDone: wasDone } of crashes) {
        expect(await treeOf(disk, '/data'), `seed ${seed}`).toEqual(before);
        const isThere = (await disk.stat('/new')) !== undefined;
        const report = isThere ? await inspectNode('/new', optionsFor(disk)) : undefined;
        const what = report === undefined ? 'nothing' : `${report.verdict} at ${report.start.appliedIndex}`;
        outcomes.add(`${wasDone ? 'done' : 'under way'}: ${what}`);
      }
      const whole = `clean at ${made.baseIndex}`;
      expect([...outcomes].toSorted(), `seed ${seed}`).toEqual([
        `done: ${whole}`,
        `under way: ${whole}`,
        'under way: nothing',
      ]);
      expect(crashes.length).toBeGreaterThan(200);
    },
  );

  test('is stopped between its steps, and leaves nothing behind', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: VOTERS, commands: puts(4), applied: 2 });
    const abort = new AbortController();
    const unwatch = fs.afterEachMutation(({ path }) => {
      if (path.startsWith('/new.partial/groups/0/store-0')) abort.abort();
    });

    const founding = foundCluster({
      ...optionsFor(fs),
      directory: '/data',
      target: '/new',
      randomBytes: randomOf(1),
      signal: abort.signal,
    });

    await expect(founding).rejects.toMatchObject({ code: 'KAYA_ABORTED' });
    unwatch();
    expect((await fs.readDirectory('/')).map(({ name }) => name)).toEqual(['data']);
  });

  test('takes no directory that is damaged, and leaves nothing behind', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: VOTERS, commands: puts(4), snapshots: true });
    await flip(fs, '/data/groups/0/raft/raft-snapshot.bin', 120);

    await expect(found(fs)).rejects.toMatchObject({ code: 'KAYA_RAFT_CORRUPTION' });

    expect((await fs.readDirectory('/')).map(({ name }) => name)).toEqual(['data']);
  });

  test('takes no directory that a process has open, also when that began meanwhile', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, voters: VOTERS, commands: puts(4) });
    const options = optionsFor(fs);
    const open = (): Promise<NodeDirectory> =>
      NodeDirectory.open({ fs, processes: options.processes, directory: '/data', node: 1, drawIncarnation: () => 1 });
    let opening: Promise<NodeDirectory> | undefined;
    const stop = fs.afterEachMutation(({ path }) => {
      if (path.startsWith('/new.partial')) opening ??= open();
    });

    const founding = foundCluster({ ...options, directory: '/data', target: '/new', randomBytes: randomOf(1) });

    await expect(founding).rejects.toMatchObject({ code: 'KAYA_LOCKED' });
    stop();
    expect((await fs.readDirectory('/')).map(({ name }) => name)).toEqual(['data']);
    await (await opening)!.close();
  });
});
