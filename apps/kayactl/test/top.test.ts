/** `kayactl top`: what it draws, and that it leaves the terminal as it was. */

import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { members, membersOfFollower, status } from './cluster-documents.ts';
import { ClusterServer } from './cluster-server.ts';
import { type RunResult, TestWorld } from './test-world.ts';

const TOP = ['--server', '10.0.0.1:7001', 'top'] as const;
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** A keyboard, and whether it gives single keys. */
class Keyboard extends Readable {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  override _read(): void {}

  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw);
  }

  press(key: string): void {
    this.push(Buffer.from(key));
  }
}

function openTerminal(): { world: TestWorld; cluster: ClusterServer; keyboard: Keyboard } {
  const world = new TestWorld();
  const cluster = new ClusterServer();
  const keyboard = new Keyboard();
  world.connect = cluster.connect;
  world.isTerminal = true;
  world.stdin = keyboard;
  cluster.nodes.set(7001, { status: status(1), members: members() });
  cluster.nodes.set(7002, { status: status(2), members: membersOfFollower(2) });
  return { world, cluster, keyboard };
}

/** The pictures, each as its lines. */
function framesOf({ stdout }: RunResult): readonly (readonly string[])[] {
  const inside = stdout.slice(stdout.indexOf(ENTER) + ENTER.length, stdout.indexOf(LEAVE));
  return inside
    .split('\u001b[H')
    .slice(1)
    .map((frame) => frame.replaceAll('\u001b[K', '').replaceAll('\u001b[J', '').trimEnd().split('\r\n'));
}

/** Runs it, with time that jumps to whenever it waits for, until `act` has let it end. */
async function watch(world: TestWorld, argv: readonly string[], act: () => void): Promise<RunResult> {
  const state = { isOver: false };
  const run = world.run(...argv).finally(() => (state.isOver = true));
  while (!state.isOver) {
    await new Promise(setImmediate);
    act();
    const { nextDueMs } = world.clock;
    if (nextDueMs !== undefined && !world.interruption.signal.aborted)
      world.clock.advance(nextDueMs - world.clock.now());
  }
  return run;
}

describe('kayactl top', () => {
  test('shows rates between two looks, and puts the terminal back when q is pressed', async () => {
    const { world, cluster, keyboard } = openTerminal();
    let looks = 0;
    cluster.onRequest = ({ kind }) => {
      if (kind !== 'status' || ++looks !== 3) return;
      cluster.nodes.get(7001)!.status = status(
        1,
        { applied_index: 3_042, commit_index: 3_042, storage: { sync_count: 30, sync_total_ms: 85 } },
        { get_count: 120, compaction_bytes_written: 8 * 1024 * 1024, stall_total_us: 200_000 },
      );
    };

    const result = await watch(world, TOP, () => {
      if (looks > 4) keyboard.press('xq');
    });

    const [first, second] = framesOf(result);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout.startsWith(ENTER)).toBe(true);
    expect(result.stdout.endsWith(LEAVE)).toBe(true);
    expect(keyboard.modes).toEqual([true, false]);
    expect(first?.slice(0, 3)).toEqual([
      'node 1 leads; 3 voters, 2 must answer, 3 do: tolerates 1 failure',
      'every 2 s; q quits',
      '',
    ]);
    expect(first?.[4]).toBe(
      '1     10.0.0.1:7001  leader    ok      -         -        0    -      -        -        3.0M    2.0',
    );
    expect(second?.slice(3)).toEqual([
      'NODE  SERVER         ROLE      HEALTH  WRITES/S  READS/S  LAG   FSYNC  STALLED  MERGE/S  TABLES  ME',
      '1     10.0.0.1:7001  leader    ok      1.5k      10       0     3.0ms  10%      4.0M     3.0M    2.',
      '2     10.0.0.2:7002  follower  ok      0         0        3002  -      0%       0B       3.0M    2.',
      '3     10.0.0.3:7003  no answer from 10.0.0.3:7003: connection refused',
    ]);
  });

  test('says nothing of a node between two of its lives', async () => {
    const { world, cluster, keyboard } = openTerminal();
    let looks = 0;
    cluster.onRequest = ({ kind }) => {
      if (kind === 'status' && ++looks === 3)
        cluster.nodes.get(7001)!.status = status(1, { boot: 2, applied_index: 1 });
    };

    const result = await watch(world, [...TOP, '--interval', '1'], () => {
      if (looks > 4) keyboard.press('q');
    });

    expect(framesOf(result)[1]?.[4]).toMatch(/^1 {5}10\.0\.0\.1:7001 {2}leader {4}ok {6}- /);
  });

  test('puts the terminal back on a signal too, and ends with its status', async () => {
    const { world, cluster } = openTerminal();
    cluster.onRequest = ({ kind }) => {
      if (kind === 'status' && cluster.log.length > 4) world.interruption.abort('SIGTERM');
    };

    const result = await watch(world, TOP, () => {});

    expect(result.exitCode).toBe(143);
    expect(result.stdout.endsWith(LEAVE)).toBe(true);
  });

  test('takes Ctrl-C for q: the terminal gives it as a key', async () => {
    const { world, keyboard } = openTerminal();

    const result = await watch(world, TOP, () => keyboard.press('\u0003'));

    expect(result.exitCode).toBe(0);
  });

  test.each([[[] as string[]], [['--json']]])('draws on terminals only %j', async (flags) => {
    const { world } = openTerminal();
    world.isTerminal = flags.length > 0;

    const result = await world.run(...TOP, ...flags);

    expect(result).toMatchObject({ exitCode: 4, stdout: '' });
    expect(result.stderr).toContain('top draws on a terminal');
    expect(result.stderr).toContain('kayactl status --json');
  });

  test.each(['0', '3601', 'x'])('refuses an interval of %s', async (interval) => {
    const { world } = openTerminal();

    const result = await world.run(...TOP, '--interval', interval);

    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('Give a whole number from 1 to 3600.');
  });
});
