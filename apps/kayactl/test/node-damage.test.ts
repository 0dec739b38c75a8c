/** Every offline command on the directory of a node, whatever has become of its files: an answer or one sentence, a known status, and no byte changed. */

import { type SeededRandom, seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { crashClone, diskFingerprint, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { StoppedCluster } from './stopped-cluster.ts';
import { TestWorld } from './test-world.ts';

const DATA = '/data';
const DAMAGES = sized({ ci: 12, long: 400 });
/** 5 would be a broken rule, and 130 an interruption. */
const STATUSES: readonly number[] = [0, 1, 2, 3, 4, 6];

const COMMANDS: readonly (readonly string[])[] = [
  ['verify'],
  ['verify', '--json'],
  ['recover', '--dry-run', '--json'],
  ['recover', '--dry-run', '--show-keys'],
  ['recover', '--plan'],
  ['recover', '--plan', '--json'],
  ['recover', 'quorum', '--describe', DATA],
  ['recover', 'quorum', '--plan', DATA],
  ['inspect', DATA, '--json'],
  ['inspect', 'machine', DATA, '--json'],
  ['get', 'k1'],
  ['scan', '--json'],
  ['export'],
  ['unlock'],
];

/** Every path of a file, in order. */
async function filesIn(fs: MemoryFileSystem, path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name, kind } of await fs.readDirectory(path)) {
    if (kind === 'directory') found.push(...(await filesIn(fs, `${path}/${name}`)));
    else found.push(`${path}/${name}`);
  }
  return found;
}

/** @returns What was done, in words. */
async function spoil(
  fs: MemoryFileSystem,
  random: SeededRandom,
): Promise<{ readonly path: string; readonly what: string }> {
  const path = random.pick(await filesIn(fs, DATA));
  const bytes = (await fs.stat(path))!.bytes;
  const at = random.int(Math.max(1, bytes));
  const kind = random.pick(['flip', 'cut', 'gone', 'garbage', 'zeros', 'longer'] as const);
  if (kind === 'gone') {
    await fs.unlink(path);
    return { path, what: `${path} is gone` };
  }
  const handle = await fs.open(path, 'write');
  if (kind === 'cut') await handle.truncate(at);
  else {
    const length = 1 + random.int(200);
    const data = kind === 'zeros' ? new Uint8Array(length) : random.bytes(kind === 'flip' ? 1 : length);
    await handle.write(data, kind === 'longer' ? bytes : at);
  }
  await handle.close();
  return { path, what: `${path}: ${kind} at ${at}` };
}

function worldOf(fileSystem: MemoryFileSystem): TestWorld {
  const world = new TestWorld();
  world.fileSystem = fileSystem;
  return world;
}

/** What is wrong with how a command ended, in words. */
function flawOf(
  argv: readonly string[],
  { exitCode, stdout, stderr }: Awaited<ReturnType<TestWorld['run']>>,
): string | undefined {
  if (!STATUSES.includes(exitCode)) return `status ${exitCode}: ${stderr}`;
  const errors = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('NOTE: '));
  const isSentence = errors.length === 2 && errors[0]!.startsWith('ERROR: ') && errors[1]!.startsWith('HINT: ');
  const isDocument = errors.length === 1 && errors[0]!.startsWith('{"error":');
  const isCount = argv[0] === 'export' && errors.length === 1 && errors[0]!.startsWith('exported ');
  if (errors.length > 0 && !isSentence && !isDocument && !isCount) return `stderr: ${stderr}`;
  if (/report it|a bug|undefined|NaN|\[object/.test(stderr + stdout)) return `it says: ${stderr}${stdout}`;
  if (argv.includes('--json') && stdout !== '') JSON.parse(stdout);
  return undefined;
}

describe('commands on the directory of a node', { timeout: timeoutFor(120_000) }, () => {
  test('give an answer or a sentence, whichever file is damaged, and change nothing', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const stopped = await StoppedCluster.make(
      3,
      async (client) => {
        for (let i = 0; i < 10; i++) await client.put(`k${i}`, `v${i}`);
      },
      [3],
    );

    const { cluster } = JSON.parse(await stopped.world(1).readFile(`${DATA}/NODE`)) as { readonly cluster: string };

    const flaws: string[] = [];
    for (let i = 0; i < DAMAGES; i++) {
      const fs = crashClone(stopped.disk(1 + random.int(3)), { kind: 'everything' }, () => 0);
      const { path, what } = await spoil(fs, random);
      const before = diskFingerprint(fs);
      for (const argv of [...COMMANDS, ['inspect', path, '--json'], ['inspect', path]]) {
        const flaw = flawOf(argv, await worldOf(fs).run('--data', DATA, ...argv));
        if (flaw !== undefined) flaws.push(`${what}: ${argv.join(' ')}: ${flaw}`);
        if (diskFingerprint(fs) !== before) flaws.push(`${what}: ${argv.join(' ')} has changed something`);
      }
      for (const argv of [
        ['recover', '--salvage', '--out', '/saved'],
        ['recover', 'quorum', '--apply', DATA, '--out', '/new', '--confirm', cluster],
      ]) {
        const flaw = flawOf(argv, await worldOf(fs).run('--data', DATA, ...argv));
        if (flaw !== undefined) flaws.push(`${what}: ${argv.join(' ')}: ${flaw}`);
      }
    }

    expect(flaws, `seed ${seed}`).toEqual([]);
  });
});
