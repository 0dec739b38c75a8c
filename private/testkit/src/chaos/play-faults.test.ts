import { describe, expect, test } from 'vitest';

import { seededRandom } from '../seeded-random.ts';
import { FAULT_NAMES, type FaultName, planFaults, type PlannedFault } from './fault-plan.ts';
import { type BreakableCluster, playFaults } from './play-faults.ts';

/** Writes down what is asked of it. */
class PlayedCluster implements BreakableCluster {
  readonly nodeCount = 3;
  readonly calls: string[] = [];
  leader: number | undefined = 2;

  async findLeader(): Promise<number | undefined> {
    return this.leader;
  }
  async kill(place: number): Promise<void> {
    this.calls.push(`kill ${place}`);
  }
  async start(place: number): Promise<void> {
    this.calls.push(`start ${place}`);
  }
  async ready(): Promise<void> {
    this.calls.push('ready');
  }
  pause(place: number): void {
    this.calls.push(`pause ${place}`);
  }
  resume(place: number): void {
    this.calls.push(`resume ${place}`);
  }
  shapeLink(from: number, to: number, rules: object): void {
    this.calls.push(`${from}->${to} ${JSON.stringify(rules)}`);
  }
  cutLink(from: number, to: number): void {
    this.calls.push(`cut ${from}->${to}`);
  }
  healLinks(): void {
    this.calls.push('heal');
  }
  async loadDisk(isLoaded: boolean): Promise<void> {
    this.calls.push(`load ${isLoaded}`);
  }
}

const HEALED = ['heal', 'resume 0', 'resume 1', 'resume 2', 'load false', 'start 0', 'start 1', 'start 2'];

function fault(name: FaultName): PlannedFault {
  const links = [[0, 1] as const];
  return { name, target: { kind: 'leader' }, afterMs: 10, forMs: 20, links, delayMs: 5, isCutAtEnd: false };
}

describe('playFaults', () => {
  test.each<[FaultName, readonly string[]]>([
    ['kill', ['kill 2']],
    ['kill-all', ['kill 0', 'kill 1', 'kill 2']],
    ['pause', ['pause 2']],
    [
      'isolate',
      ['2->0 {"isBlocked":true}', '2->1 {"isBlocked":true}', '0->2 {"isBlocked":true}', '1->2 {"isBlocked":true}'],
    ],
    ['one-way-out', ['2->0 {"isBlocked":true}', '2->1 {"isBlocked":true}']],
    ['one-way-in', ['0->2 {"isBlocked":true}', '1->2 {"isBlocked":true}']],
    ['partial', ['0->1 {"isBlocked":true}']],
    ['delay', ['2->0 {"delayMs":5}', '2->1 {"delayMs":5}', '0->2 {"delayMs":5}', '1->2 {"delayMs":5}']],
    ['throttle', ['2->0', '2->1', '0->2', '1->2'].map((link) => `${link} {"bytesPerSecond":32768}`)],
    ['cut', ['cut 2->0', 'cut 2->1', 'cut 0->2', 'cut 1->2']],
    ['slow-disk', ['load true']],
  ])('does %s to the leader, and heals it', async (name, expected) => {
    const cluster = new PlayedCluster();
    const notes: string[] = [];
    const pauses: number[] = [];

    const count = await playFaults([fault(name)], {
      cluster,
      pause: async (ms) => void pauses.push(ms),
      note: (text) => notes.push(text),
    });

    expect(count).toBe(1);
    expect(cluster.calls).toEqual([...expected, ...HEALED, 'ready', ...HEALED]);
    expect(pauses).toEqual([10, 20]);
    expect(notes).toEqual([expect.stringContaining(`${name} at node 3 for 20 ms`), `${name} is over`]);
  });

  test('heals when something fails, and breaks links off when a fault says so', async () => {
    const cluster = new PlayedCluster();
    cluster.leader = undefined;
    const plan = [{ ...fault('pause'), isCutAtEnd: true }, fault('kill')];
    cluster.kill = () => Promise.reject(new Error('no such process'));

    const play = playFaults(plan, { cluster, pause: async () => {}, note: () => {} });

    await expect(play).rejects.toThrow('no such process');
    const cuts = ['cut 0->1', 'cut 0->2', 'cut 1->0', 'cut 1->2', 'cut 2->0', 'cut 2->1'];
    expect(cluster.calls).toEqual(['pause 0', ...HEALED, 'ready', ...cuts, ...HEALED]);
  });

  test('ends early when it is told to', async () => {
    const cluster = new PlayedCluster();

    const count = await playFaults([fault('kill')], {
      cluster,
      pause: async () => {},
      note: () => {},
      signal: AbortSignal.abort(),
    });

    expect(count).toBe(0);
    expect(cluster.calls).toEqual(HEALED);
  });
});

describe('planFaults', () => {
  test('draws the same plan from the same seed, and ends it in time', () => {
    const options = { nodeCount: 3, durationMs: 60_000 };

    const plan = planFaults(seededRandom(5), options);

    const total = plan.reduce((sum, { afterMs, forMs }) => sum + afterMs + forMs, 0);
    expect(planFaults(seededRandom(5), options)).toEqual(plan);
    expect(planFaults(seededRandom(6), options)).not.toEqual(plan);
    expect(total).toBeLessThanOrEqual(60_000);
    expect(total).toBeGreaterThan(50_000);
  });

  test('comes to each kind once before it comes to one again', () => {
    const plan = planFaults(seededRandom(3), { nodeCount: 3, durationMs: 600_000 });

    const turns = [0, 1, 2].map((turn) => plan.slice(turn * FAULT_NAMES.length, (turn + 1) * FAULT_NAMES.length));
    expect(turns.map((turn) => turn.map(({ name }) => name).toSorted())).toEqual(
      turns.map(() => FAULT_NAMES.toSorted()),
    );
  });

  test('comes to every fault it may, and to no other', () => {
    const random = seededRandom(1);
    const draw = (names: readonly FaultName[] | undefined): ReadonlySet<string> =>
      new Set(planFaults(random, { nodeCount: 3, durationMs: 600_000, names }).map(({ name }) => name));

    expect([...draw(undefined)].toSorted()).toEqual(FAULT_NAMES.toSorted());
    expect([...draw(['pause'])]).toEqual(['pause']);
  });
});
