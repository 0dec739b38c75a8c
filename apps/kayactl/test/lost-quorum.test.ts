/** runbooks/lost-quorum.md, step by step: two of three nodes are gone, and the third goes on as a cluster of its own. */

import { diskFingerprint } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { StoppedCluster } from './stopped-cluster.ts';
import type { TestWorld } from './test-world.ts';

/** Node 3 was stopped before the second half was written. */
function lostCluster(): Promise<StoppedCluster> {
  return StoppedCluster.make(
    3,
    async (client) => {
      for (let i = 0; i < 10; i++) await client.put(`k${i}`, `v${i}`);
    },
    [3],
  );
}

async function clusterOf(world: TestWorld): Promise<string> {
  return JSON.parse(await world.readFile('/data/NODE')).cluster;
}

/** Takes the summary of a node from its machine to another. */
async function carrySummary(stopped: StoppedCluster, from: number, to: TestWorld): Promise<string> {
  const { stdout, exitCode } = await stopped.world(from).run('recover', 'quorum', '--describe', '/data');
  expect(exitCode).toBe(0);
  await to.writeFile(`/node-${from}.json`, stdout);
  return `/node-${from}.json`;
}

describe('kayactl recover quorum', { timeout: 60_000 }, () => {
  test(
    'makes a cluster of the best node, with everything that was in it, which serves and takes nodes again',
    { timeout: 60_000 },
    async () => {
      const stopped = await lostCluster();
      const world = stopped.world(1);
      const summary = await carrySummary(stopped, 3, world);
      const clusterId = await clusterOf(world);
      // Node 3 knows less: of nodes 1 and 3 together there would be a majority, so only node 1 is left here.
      const plan = await world.run('recover', 'quorum', '--plan', '/data');
      const both = await world.run('recover', 'quorum', '--plan', '/data', summary, '--json');

      const made = await world.run('recover', 'quorum', '--apply', '/data', '--out', '/new', '--confirm', clusterId);

      expect(plan.stdout).toContain('lost     cannot be known: 2 of 3 voters are missing');
      expect(JSON.parse(both.stdout)).toMatchObject({ hasQuorum: true, candidates: [{ node: 1 }, { node: 3 }] });
      expect(made).toMatchObject({ exitCode: 0, stderr: '' });
      expect(made.stdout).toMatch(/^OK node 1 is a cluster of its own in \/new\n/);
      await world.fileSystem.rename('/data', '/old');
      await world.fileSystem.rename('/new', '/data');
      await stopped.while(async (cluster) => {
        await cluster.start(1);
        await cluster.node(1).ready;
        await stopped.withClient(async (client) => {
          for (let i = 0; i < 10; i++) expect(Buffer.from((await client.get(`k${i}`))!).toString()).toBe(`v${i}`);
          const { revision } = await client.put('after', 'yes');
          expect(revision).toBeGreaterThan(1_000_000_000_000);
          for (const id of [2, 3]) {
            cluster.wipe(id);
            await cluster.start(id, { peers: [1], isJoining: true });
            const [raftAddress, clientAddress] = [cluster.peerAddressOf(id), cluster.clientAddressOf(id)];
            await client.addMember({ id, raftAddress, clientAddress, isLearner: false });
            await stopped.until(() => cluster.node(id).view.raft?.configuration.voters.length === id);
          }
        });
      });
      for (const id of [2, 3])
        expect((await stopped.world(id).run('--data', '/data', 'get', 'k7')).stdout).toBe('v7\n');
      expect((await world.run('--data', '/old', 'verify')).exitCode).toBe(0);
    },
  );

  test('keeps nodes of the old cluster out of the new one', async () => {
    const stopped = await lostCluster();
    const world = stopped.world(1);
    await world.run('recover', 'quorum', '--apply', '/data', '--out', '/new', '--confirm', await clusterOf(world));
    await world.fileSystem.rename('/data', '/old');
    await world.fileSystem.rename('/new', '/data');

    await stopped.while(async (cluster) => {
      await cluster.start(1);
      await cluster.node(1).ready;
      await cluster.start(2, { peers: [1, 2, 3] });
      for (let i = 0; i < 2000; i++) await new Promise(setImmediate);

      expect(cluster.node(1).view.raft?.role).toBe('leader');
      expect(cluster.node(1).view.raft?.configuration.voters).toEqual([1]);
      expect(cluster.node(2).view.cluster).not.toBe(cluster.node(1).view.cluster);
    });
  });

  test('changes nothing in what it plans with, and leaves the old folder as it was', async () => {
    const stopped = await lostCluster();
    const world = stopped.world(2);
    const before = diskFingerprint(world.fileSystem);
    const cluster = await clusterOf(world);

    await world.run('recover', 'quorum', '--plan', '/data');
    const planned = diskFingerprint(world.fileSystem);
    const refused = await world.run(
      'recover',
      'quorum',
      '--apply',
      '/data',
      '--out',
      '/new',
      '--confirm',
      'ff'.repeat(16),
    );

    expect(planned).toBe(before);
    expect(refused).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining(`another cluster than the folders: ${cluster}`),
    });
    expect(diskFingerprint(world.fileSystem)).toBe(before);
  });

  test('says that a folder which is damaged may hold what the best does not', async () => {
    const stopped = await lostCluster();
    const world = stopped.world(3);
    const summary = await carrySummary(stopped, 3, world);
    const handle = await stopped.disk(1).open('/data/groups/0/raft/raft-snapshot.bin', 'write');
    await handle.write(Uint8Array.of(0xff), 120);
    await handle.close();
    const described = await stopped.world(1).run('recover', 'quorum', '--describe', '/data');
    await world.writeFile('/node-1.json', described.stdout);

    const { stdout, exitCode } = await world.run('recover', 'quorum', '--plan', summary, '/node-1.json');

    expect([described.exitCode, exitCode]).toEqual([3, 0]);
    expect(stdout).toContain(
      'best     node 3: every committed write that is in any of the folders that are whole is in it',
    );
    expect(stdout).toContain('2 of 3 voters are missing, or not whole, and together');
    expect(stdout).toContain('WARNING: /node-1.json: node 1 is damaged, and may have committed writes');
    expect(stdout).toContain('on the machine where /data lies and /node-3.json was made:\n');
    expect(stdout).toContain('$ kayactl recover quorum --apply /data /node-1.json --out NEW-DIR --confirm');
  });

  test('says at once that the new folder cannot be made', async () => {
    const stopped = await lostCluster();
    const world = stopped.world(1);
    await world.fileSystem.makeDirectory('/new.partial');

    const words = ['--apply', '/data', '/absent', '--out', '/new', '--confirm', await clusterOf(world)];
    const { stderr, exitCode } = await world.run('recover', 'quorum', ...words);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('/new.partial failed with EEXIST: the name exists already; an attempt before this one');
  });

  test('refuses where a majority is left, and where the best is on another machine', async () => {
    const stopped = await lostCluster();
    const world = stopped.world(3);
    const summary = await carrySummary(stopped, 1, world);
    const cluster = await clusterOf(world);
    const apply = ['recover', 'quorum', '--apply', '/data', summary, '--out', '/new', '--confirm', cluster] as const;

    const whole = await world.run(...apply);
    const text = await world.readFile(summary);
    await world.writeFile('/five.json', text.replaceAll('"voters":[1,2,3]', '"voters":[1,2,3,4,5]'));
    const far = await world.run(...apply.map((word) => (word === summary ? '/five.json' : word)));

    expect(whole).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('a majority of the voters is here') });
    expect(far).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining(
        'the best is node 1, and /five.json is a summary of its folder /data, not the folder',
      ),
    });
    expect(await world.fileSystem.stat('/new')).toBeUndefined();
  });

  test.each([
    [[], 'recover quorum needs one of --describe, --plan and --apply'],
    [['--plan'], 'needs the folders of the nodes'],
    [['--plan', '--apply', '/data'], 'needs one of'],
    [['--apply', '/data'], '--apply needs --out NEW-DIR and --confirm CLUSTER'],
    [['--plan', '/data', '--out', '/x'], '--out and --confirm go with --apply'],
    [['--describe', '/data', '/x'], '--describe takes one folder'],
    [['--plan', '/absent'], '/absent is not the folder of a node'],
    [['--plan', '/list'], '/list is no summary of a node'],
    [['--plan', '/data', '--html', 'x'], 'takes --describe, --plan or --apply'],
    [['--apply', '/data', '--out', '/data/new', '--confirm', 'X'], 'lies in /data, which is only read'],
  ])('quorum %s is one sentence and status 4', async (flags, sentence) => {
    const stopped = await StoppedCluster.make(3, async () => {});
    const world = stopped.world(1);
    await world.writeFile('/list', '{}');
    const cluster = await clusterOf(world);

    const { exitCode, stdout, stderr } = await world.run(
      'recover',
      'quorum',
      ...flags.map((word) => (word === 'X' ? cluster : word)),
    );

    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});
