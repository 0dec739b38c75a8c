/** kayactl against real nodes in memory: what operators do with a cluster, and an import that outlives its leader. */

import { describe, expect, test } from 'vitest';

import { ClusterWorld } from './cluster-world.ts';
import type { RunResult } from './test-world.ts';

const TOKEN = 'operator-secret';

function documentOf({ stdout }: RunResult): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Kinds of the members, by node. */
async function kindsOf(world: ClusterWorld, ...servers: readonly string[]): Promise<Record<number, string>> {
  const { members } = documentOf(await world.run(...servers, 'members', '--json')) as {
    readonly members: readonly { readonly node: number; readonly kind: string }[];
  };
  return Object.fromEntries(members.map(({ node, kind }) => [node, kind]));
}

function lines(count: number): string {
  return Array.from(
    { length: count },
    (_, at) => `${JSON.stringify({ key: `k${10_000 + at}`, value: `v${at}` })}\n`,
  ).join('');
}

describe('kayactl and three nodes', { timeout: 60_000 }, () => {
  test('shows all of them, and 1 when one is gone', async () => {
    await using world = await ClusterWorld.open(3);
    const servers = world.serversOf(1);
    await world.until('node 1 has heard of all', () => world.cluster.node(1).view.machine?.members.length === 3);

    const whole = await world.run(...servers, 'status');
    const json = documentOf(await world.run(...servers, 'status', '--json'));
    const gone = [1, 2, 3].find((node) => node !== 1 && node !== world.cluster.leader)!;
    await world.cluster.stop(gone);
    const broken = await world.run(...servers, 'status');
    await world.until('the leader misses it', () => world.cluster.leader !== undefined);
    const members = await world.run(...servers, 'members');

    expect(whole).toMatchObject({ exitCode: 0, stderr: '' });
    expect(whole.stdout.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual(['NODE', '1', '2', '3', '']);
    expect(json).toMatchObject({ leader: world.cluster.leader, votes: { voters: 3, quorum: 2, answering: 3 } });
    expect(broken.exitCode).toBe(1);
    expect(broken.stdout).toContain(`no answer from 10.0.0.${gone}:700${gone}`);
    expect(members.stdout).toMatch(/^3 voters, 2 must answer/m);
  });

  test('imports without a failed row while one leader is cut off, and the next one is stopped', async () => {
    await using world = await ClusterWorld.open(3);
    const { cluster } = world;
    await world.writeFile('/in', lines(600));
    const lost: number[] = [];
    let acks = 0;
    world.fileSystem.afterEachMutation(({ path }) => {
      if (path !== '/acks' || cluster.leader === undefined) return;
      acks++;
      if (acks === 100) {
        lost.push(cluster.leader);
        cluster.isolate(cluster.leader);
      } else if (acks === 300) {
        cluster.rejoin(lost[0]!);
        lost.push(cluster.leader);
        void cluster.stop(cluster.leader);
      }
    });

    const result = await world.run(...world.serversOf(1, 2, 3), 'import', '/in', '--ack-log', '/acks', '--json');
    const rows = await world.run(...world.serversOf(1, 2, 3), 'scan', '--json');

    expect(new Set(lost).size).toBe(2);
    expect(documentOf(result)).toMatchObject({ ok: true, lines: 600, imported: 600, bad: 0, resumed_from: 0 });
    expect((await world.readFile('/acks')).trimEnd().split('\n')).toHaveLength(600);
    expect(documentOf(rows)['items']).toHaveLength(600);
  });
});

describe('kayactl without a quorum', { timeout: 60_000 }, () => {
  test('reads what a node has, and is told why it can not write', async () => {
    await using world = await ClusterWorld.open(3);
    await world.run(...world.serversOf(1, 2, 3), 'put', 'k', 'v');
    await world.until('node 1 has it', () => (world.cluster.node(1).view.raft?.appliedIndex ?? 0) >= 3);
    for (const node of [2, 3]) await world.cluster.stop(node);
    await world.until('node 1 has noticed', () => world.cluster.node(1).view.raft?.role !== 'leader');
    const servers = world.serversOf(1);

    const stale = await world.run(...servers, 'get', 'k', '--stale');
    const scanned = await world.run(...servers, 'scan', '--stale');
    const put = await world.run(...servers, 'put', 'k', 'new');
    const before = world.clock.now();
    const silent = await world.run(...servers, 'put', 'k', 'new', '--json', '--deadline', '4000');
    const waitedMs = world.clock.now() - before;
    const status = await world.run(...servers, 'status');

    expect([stale.stdout, scanned.stdout]).toEqual(['v\n', 'k v\n']);
    expect(put).toMatchObject({ exitCode: 1, stdout: '' });
    expect(put.stderr).toMatch(/^(?:NOTE: trying again: .*\n){2,3}ERROR: .*(?:not the leader|no answer|quorum)/);
    expect(silent.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(waitedMs).toBeGreaterThanOrEqual(4_000);
    expect(waitedMs).toBeLessThan(8_000);
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toContain('no-leader');
    expect(status.stderr).toContain('no leader is heard');
  });
});

describe('kayactl and a group that changes', { timeout: 60_000 }, () => {
  test('grows from one node to three, hands leadership over, and shrinks again', async () => {
    await using world = await ClusterWorld.open(1, { operatorToken: TOKEN });
    const servers = world.serversOf(1);
    world.env['KAYA_OPERATOR_TOKEN'] = TOKEN;
    await world.run(...servers, 'put', 'k', 'v');

    for (const node of [2, 3]) {
      await world.cluster.start(node, { peers: [1], isJoining: true });
      const addresses = [world.cluster.peerAddressOf(node), world.cluster.clientAddressOf(node)];
      const added = await world.run(...servers, 'add-node', String(node), ...addresses, '--wait');
      expect(added).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`OK node ${node} is a voter\n`) });
    }
    const grown = await kindsOf(world, ...servers);
    const handed = await world.run(...servers, 'transfer-leader', '2');
    const leader = world.cluster.leader;
    const removed = await world.run(...servers, 'remove-node', '3');
    await world.until('node 3 knows', () => world.cluster.node(3).view.phase === 'ended');
    const shrunk = await kindsOf(world, ...servers);

    expect(grown).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter' });
    expect(handed).toMatchObject({ exitCode: 0, stdout: 'OK node 2 leads\n' });
    expect(leader).toBe(2);
    expect(removed).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('after   1,2     2       0 failures'),
    });
    expect(shrunk).toEqual({ 1: 'voter', 2: 'voter' });
    expect((await world.run(...servers, 'get', 'k')).stdout).toBe('v\n');
  });

  test('replaces a node whose disk was wiped, which the group does not take back as it was', async () => {
    await using world = await ClusterWorld.open(3);
    const { cluster } = world;
    const servers = world.serversOf(1, 2);
    await world.until('all have met', () => cluster.node(1).view.machine?.members.length === 3);
    await cluster.stop(3);
    cluster.wipe(3);

    const wiped = await cluster.start(3, { peers: [1, 2, 3] });
    const ended = await wiped.failed;
    await cluster.stop(3);
    const removed = await world.run(...servers, 'remove-node', '3');
    await cluster.start(4, { peers: [1, 2], isJoining: true });
    const added = await world.run(
      ...servers,
      'add-node',
      '4',
      cluster.peerAddressOf(4),
      cluster.clientAddressOf(4),
      '--wait',
    );

    expect(ended).toMatchObject({ code: 'KAYA_FENCED' });
    expect([removed.exitCode, added.exitCode]).toEqual([0, 0]);
    expect(await kindsOf(world, ...servers)).toEqual({ 1: 'voter', 2: 'voter', 4: 'voter' });
  });

  test('refuses what would cost the quorum, with the arithmetic', async () => {
    await using world = await ClusterWorld.open(3);
    const leader = world.cluster.leader!;
    const [follower, other] = [1, 2, 3].filter((node) => node !== leader);
    world.cluster.isolate(other!);
    const servers = world.serversOf(leader);
    let dry = await world.run(...servers, 'remove-node', String(follower), '--dry-run');
    // Until the leader has missed the other one for long enough.
    while (dry.exitCode === 0) {
      await world.clock.advanceAsync(50);
      dry = await world.run(...servers, 'remove-node', String(follower), '--dry-run');
    }

    const real = await world.run(...servers, 'remove-node', String(follower));

    expect([dry.exitCode, real.exitCode]).toEqual([1, 1]);
    expect(real.stderr).toContain('ERROR: the group would lose its quorum: of 2 voters 2 must answer, and 1 would');
    expect(real.stdout).toContain(`remove node ${follower}\n`);
    expect(await kindsOf(world, ...servers)).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter' });
    world.cluster.rejoin(other!);
  });

  test('asks for the operator token', async () => {
    await using world = await ClusterWorld.open(1, { operatorToken: TOKEN });

    const without = await world.run(...world.serversOf(1), 'transfer-leader');
    const wrong = await world.run(...world.serversOf(1), 'transfer-leader', '--operator-token', 'guess');

    expect([without.exitCode, wrong.exitCode]).toEqual([4, 4]);
    expect(without.stderr).toMatch(/operator credential.*\nHINT: .*--operator-token-file/);
    expect(wrong.stderr).not.toContain('guess');
  });
});
