/** Several programs on one network: how they find each other, what they say meanwhile, and what they refuse. */

import { encodeUtf8, type Response } from '@kayadb/codec';
import { openEngine } from '@kayadb/engine';
import { VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { run } from '../src/run.ts';
import { ask } from './support/ask.ts';
import { createTestWorld, type TestWorld } from './support/test-world.ts';

const NODES = [1, 2, 3] as const;
const LIST = NODES.flatMap((node) => ['--peer', `${node}=127.0.0.1:${7480 + node},127.0.0.1:${7378 + node}`]);

interface Program {
  readonly world: TestWorld;
  readonly running: Promise<number>;
}

class Machines {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });

  start(node: number, ...flags: readonly string[]): Program {
    const ports = ['--raft-addr', `127.0.0.1:${7480 + node}`, '--client-addr', `127.0.0.1:${7378 + node}`];
    const argv = ['--node-id', String(node), '--data', `/data-${node}`, ...ports, ...flags];
    const world = createTestWorld({ argv, network: this.network, clock: this.clock });
    return { world, running: run(world) };
  }
}

async function stop({ world, running }: Program): Promise<number> {
  world.requestStop('SIGTERM');
  return world.settle(running);
}

const put = { kind: 'put', key: encodeUtf8('k'), value: encodeUtf8('v') } as const;

describe('programs that are started with the same list', () => {
  test('become one group, whose leader all of them name', async () => {
    const machines = new Machines();
    const programs = NODES.map((node) => machines.start(node, ...LIST));

    const answers: Response[] = [];
    for (const { world } of programs) answers.push(await ask(world, put));
    const exitCodes = [];
    for (const program of programs) exitCodes.push(await stop(program));

    const leaders = answers.flatMap(({ kind }, i) => (kind === 'done' ? [`127.0.0.1:${7379 + i}`] : []));
    const named = answers.flatMap((answer) => (answer.kind === 'not-leader' ? [answer.leaderAddress] : []));
    expect(leaders).toHaveLength(1);
    expect(named).toEqual([leaders[0], leaders[0]]);
    expect(programs[0]?.world.output.out).toContain('  cluster     nodes 1, 2, 3\n');
    expect(programs[0]?.world.output.log).toContainEqual(expect.objectContaining({ event: 'node.note' }));
    expect(exitCodes).toEqual([0, 0, 0]);
  });

  test('say for whom they wait, and leave in order while they do', async () => {
    const machines = new Machines();
    const lone = machines.start(1, ...LIST);
    await lone.world.logged('node.listening');
    await machines.clock.advanceAsync(30_000);

    const exitCode = await stop(lone);

    expect(exitCode).toBe(0);
    expect(lone.world.output.out).toBe(
      [
        'KayaDB 0.1.0, node 1, waits for node 2 at 127.0.0.1:7482, node 3 at 127.0.0.1:7483.',
        '',
        'It serves as soon as a majority of them is there; start the others with the same nodes.',
        '',
        'Ctrl-C stops it.',
        '',
      ].join('\n'),
    );
    const events = lone.world.output.log.map(({ event }) => event);
    expect(events).not.toContain('node.ready');
    expect(events.slice(-2)).toEqual(['node.stopping', 'node.stopped']);
  });

  test('go on without one that is stopped, and take it back', async () => {
    const machines = new Machines();
    const programs = NODES.map((node) => machines.start(node, ...LIST));
    for (const { world } of programs) await world.logged('node.ready');

    await stop(programs[0]!);
    const again = createTestWorld({ ...programs[0]!.world, network: machines.network, clock: machines.clock });
    const back: Program = { world: again, running: run(again) };
    await again.logged('node.ready');

    expect(again.output.out).not.toContain('waits for');
    for (const program of [back, ...programs.slice(1)]) expect(await stop(program)).toBe(0);
  });
});

describe('a program that is to join', () => {
  test('prints how it is added, with the operator token where there is one', async () => {
    const machines = new Machines();
    const joining = machines.start(4, '--join-cluster', '--peer', '1=127.0.0.1:7481,127.0.0.1:7379');
    const guarded = createTestWorld({
      argv: ['--data', '/data-5', '--node-id', '5', '--join-cluster', '--peer', '1=127.0.0.1:7481'],
      env: { KAYA_OPERATOR_TOKEN: 'an-operator-token-of-some-length' },
    });
    const guardedRun = run(guarded);
    await joining.world.logged('node.listening');
    await guarded.logged('node.listening');

    await stop(joining);
    await stop({ world: guarded, running: guardedRun });

    expect(joining.world.output.out).toContain('waits to be added to the cluster of node 1 at 127.0.0.1:7481.');
    expect(joining.world.output.out).toContain(
      '\n  corepack pnpm -s kayactl --server 127.0.0.1:7379 add-node 4 127.0.0.1:7484 127.0.0.1:7382\n',
    );
    expect(guarded.output.out).toContain('  export KAYA_OPERATOR_TOKEN=...\n');
    expect(JSON.stringify(guarded.output)).not.toContain('an-operator-token');
  });
});

describe('programs that are all to join', () => {
  test('found nothing: there is nobody to add them', async () => {
    const machines = new Machines();
    const programs = NODES.map((node) => machines.start(node, '--join-cluster', ...LIST));
    for (const { world } of programs) await world.logged('node.listening');

    await machines.clock.advanceAsync(30_000);

    const events = programs.flatMap(({ world }) => world.output.log.map(({ event }) => event));
    expect(events).not.toContain('node.ready');
    for (const program of programs) expect(await stop(program)).toBe(0);
  });
});

describe('a folder that is not this node’s', () => {
  async function refusalOf(disk: MemoryFileSystem, ...argv: readonly string[]): Promise<readonly [number, string]> {
    const world = createTestWorld({ argv: ['--data', '/data', ...argv], disk });
    return [await world.settle(run(world)), world.output.err];
  }

  test('is refused when it is a store of the embedded engine, with the way over', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openEngine('/data', { fileSystem: disk });
    await engine.close();

    const [exitCode, text] = await refusalOf(disk);

    expect(exitCode).toBe(4);
    expect(text).toMatch(
      /^ERROR: \/data is a store of the embedded engine; .+\nHINT: kayactl --data OLD export .+\n$/u,
    );
  });

  test('is refused when it is another node’s, and when nobody knows whose it is', async () => {
    const disk = new MemoryFileSystem();
    const first = createTestWorld({ argv: ['--data', '/data'], disk });
    const running = run(first);
    await first.logged('node.ready');
    await stop({ world: first, running });

    const foreign = await refusalOf(disk, '--node-id', '2');
    await disk.unlink('/data/NODE');
    const lost = await refusalOf(disk);

    expect(foreign).toEqual([
      4,
      expect.stringMatching(/^ERROR: \/data is the directory of node 1, and not of node 2/u),
    ]);
    expect(lost).toEqual([3, expect.stringMatching(/^ERROR: .+ its file NODE is gone.+\nHINT: .+\n$/u)]);
  });
});

describe('a port', () => {
  test.each([
    [['--raft-addr', '10.0.0.5:7481'], /whoever does can pose as a node/u],
    [['--raft-addr', '8.8.8.8:7481', '--allow-public-bind', '--insecure'], /can be reached from everywhere/u],
    [['--metrics-addr', '10.0.0.5:9090'], /--metrics-addr 10\.0\.0\.5 can be reached .+\nHINT: .+ see all reports\n/u],
  ])('is not opened to strangers by %j', async (argv, message) => {
    const world = createTestWorld({ argv: [...argv, '--data', '/data'], env: { KAYA_NO_METRICS: '' } });

    const exitCode = await run(world);

    expect(exitCode).toBe(4);
    expect(world.output.err).toMatch(message);
    expect(await world.disk.stat('/data')).toBeUndefined();
  });
});
