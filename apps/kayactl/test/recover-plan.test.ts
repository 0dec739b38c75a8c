/** `recover --plan` and `--salvage`: what they print and write, how they end, and that the old folder stays as it was. */

import { openEngine } from '@kayadb/engine';
import { fakeProcessTable } from '@kayadb/vfs/testing';
import { beforeEach, describe, expect, test } from 'vitest';

import { TestWorld } from './test-world.ts';

const FOLDER = ['--data', '/store'] as const;
const SECRET = 'secret-key';

let world: TestWorld;

/** Two tables, one of which has a damaged block, and a log. */
beforeEach(async () => {
  world = new TestWorld();
  const { fileSystem, clock } = world;
  const engine = await openEngine('/store', {
    fileSystem,
    clock,
    processes: fakeProcessTable(),
    level0Tables: 64,
    blockBytes: 1024,
    compression: 'none',
  });
  for (const table of [1, 2]) {
    for (let i = 0; i < 50; i++) await engine.put(`${SECRET}-${table}-${i}`, `value-${i}`.repeat(10));
    await engine.flush();
  }
  await engine.put(`${SECRET}-late`, 'late');
  await fileSystem.unlink('/store/LOCK');
  const table = (await namesIn('/store')).find((name) => name.endsWith('.sst'))!;
  const handle = await fileSystem.open(`/store/${table}`, 'write');
  await handle.write(Uint8Array.of(0xff), 100);
  await handle.close();
});

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await world.fileSystem.readDirectory(folder)).map(({ name }) => name);
}

async function contentOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const name of await namesIn(folder)) files[name] = await world.readFile(`${folder}/${name}`);
  return files;
}

describe('kayactl recover --plan', () => {
  test('names the ways out, best first, and changes nothing', async () => {
    const changes: string[] = [];
    world.fileSystem.afterEachMutation(({ operation, path }) => changes.push(`${operation} ${path}`));

    const text = await world.run(...FOLDER, 'recover', '--plan');
    const json = await world.run(...FOLDER, 'recover', '--plan', '--json');

    expect(text).toMatchObject({ exitCode: 3, stderr: '' });
    expect(text.stdout).toMatch(
      /^CORRUPT: .*\ndirectory \/store\nknown by MANIFEST-\d+, which CURRENT names\n\nDAMAGE: /,
    );
    expect(text.stdout).toMatch(/^1\. [A-Z]+ .*\n {3}\S.*\n {3}keeps {2}.*\n {3}loses {2}/m);
    expect(text.stdout).toContain('   type   kayactl --data /store recover --salvage --policy provable --out NEW-DIR');
    const plan = JSON.parse(json.stdout);
    expect(plan).toMatchObject({ format: 1, basis: 'current', report: { verdict: 'corrupt' } });
    expect(plan.waysOut.length).toBeGreaterThan(1);
    expect(changes).toEqual([]);
  });

  test('ends with status 0 for a sound store, 2 without one, and 1 without a folder', async () => {
    await world.run('--data', '/sound', 'put', 'a', '1');
    await world.fileSystem.makeDirectory('/void');

    const sound = await world.run('--data', '/sound', 'recover', '--plan');
    const empty = await world.run('--data', '/void', 'recover', '--plan');
    const absent = await world.run('--data', '/absent', 'recover', '--plan');

    expect(sound).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/\n1\. OPEN the store/) as string });
    expect(empty).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/^ERROR: /) as string });
    expect(absent).toMatchObject({ exitCode: 1, stdout: '' });
  });

  test('says of a manifest that is damaged, and that CURRENT does not name, that it is', async () => {
    const manifest = (await namesIn('/store')).find((name) => name.startsWith('MANIFEST'))!;
    await world.fileSystem.unlink('/store/CURRENT');
    const whole = await world.run(...FOLDER, 'recover', '--plan');
    const handle = await world.fileSystem.open(`/store/${manifest}`, 'write');
    await handle.write(Uint8Array.of(0xff), 120);
    await handle.close();

    const damaged = await world.run(...FOLDER, 'recover', '--plan');

    expect(whole.stdout).toContain(`known by ${manifest}, which is whole, though CURRENT does not name it`);
    expect(damaged.stdout).toContain(`known by ${manifest}, as far as it can be read, though CURRENT does not name it`);
  });

  test('says of a backup that it is one, and how to restore it', async () => {
    await world.run('--data', '/sound', 'put', 'a', '1');
    await world.run('--data', '/sound', 'backup', '/copy');

    const { exitCode, stdout } = await world.run('--data', '/copy', 'recover', '--plan');

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^UNDECIDED: this is a backup, which is restored and not opened\n/);
    expect(stdout).toMatch(/^1\. RESTORE this backup\n/m);
    expect(stdout).toContain('   type   kayactl --data NEW-DIR restore /copy\n');
    expect(stdout).not.toContain('LOOK AGAIN');
  });

  test('writes the page into a new file, and touches no file that is there', async () => {
    const plan = [...FOLDER, 'recover', '--plan', '--html'] as const;

    const first = await world.run(...plan, '/plan.html');
    const page = await world.readFile('/plan.html');
    await world.writeFile('/mine', 'mine');
    const second = await world.run(...plan, '/mine');
    const inside = await world.run(...plan, '/store/plan.html');

    expect(first).toMatchObject({ exitCode: 3, stderr: 'The page is /plan.html.\n' });
    expect(page).toMatch(/^<!doctype html>\n[^]*<\/html>\n$/);
    expect(second).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('/mine') as string });
    expect(await world.readFile('/mine')).toBe('mine');
    expect(inside).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('only read') as string });
  });

  test('looks whether the page can be written before it reads everything', async () => {
    const { exitCode, stderr } = await world.run(...FOLDER, 'recover', '--plan', '--html', '/nowhere/plan.html');

    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('/nowhere') as string });
  });

  test('lets no name in the folder reach the terminal as a command', async () => {
    await world.writeFile('/store/\u001B[2Jnotes', 'x');

    const plan = await world.run(...FOLDER, 'recover', '--plan');
    const verify = await world.run(...FOLDER, 'verify');
    const inspect = await world.run('inspect', '/store');

    for (const { stdout } of [plan, verify, inspect]) {
      expect(stdout).toContain('\uFFFD[2Jnotes');
      expect(stdout).not.toContain('\u001B');
    }
  });

  test('shows keys nowhere unless they are asked for', async () => {
    const digits = Buffer.from(SECRET).toString('hex');
    const run = async (...flags: readonly string[]): Promise<string> => {
      const text = await world.run(...FOLDER, 'recover', '--plan', '--html', `/page${flags.length}`, ...flags);
      const json = await world.run(...FOLDER, 'recover', '--plan', '--json', ...flags);
      return text.stdout + json.stdout + (await world.readFile(`/page${flags.length}`));
    };

    const redacted = await run();
    const shown = await run('--show-keys');

    expect(redacted).not.toMatch(new RegExp(`${SECRET}|${digits}`, 'i'));
    expect(redacted).toContain('a known stretch');
    expect(shown).toContain(`hex:${digits}`);
  });

  test('stops when it is asked to, and leaves no page', async () => {
    world.interruption.abort('SIGINT');

    const { exitCode } = await world.run(...FOLDER, 'recover', '--plan', '--html', '/plan.html');

    expect(exitCode).toBe(130);
    expect(await namesIn('/')).toEqual(['store']);
  });
});

describe('kayactl recover --salvage', () => {
  test('writes a store that opens and has what can be read; the old one stays byte for byte', async () => {
    const before = await contentOf('/store');

    const text = await world.run(...FOLDER, 'recover', '--salvage', '--out', '/saved');
    const json = await world.run(...FOLDER, 'recover', '--salvage', '--out', '/saved2', '--json');

    expect(text).toMatchObject({ exitCode: 0, stderr: '' });
    expect(text.stdout).toMatch(
      /^OK salvaged into \/saved\nfrom {3}\/store, which is as it was\npolicy provable\nkept {3}/,
    );
    expect(text.stdout).toContain('check  kayactl --data /saved verify');
    expect(text.stdout).toMatch(/^block +\d+\.sst +64 /m);
    const report = JSON.parse(json.stdout);
    expect(report).toMatchObject({
      ok: true,
      target: '/saved2',
      policy: 'provable',
      check: 'kayactl --data /saved2 verify',
    });
    expect((await world.run('--data', '/saved', 'verify')).exitCode).toBe(0);
    const rows = (await world.run('--data', '/saved', 'scan')).stdout.split('\n').slice(0, -1);
    expect(rows).toHaveLength(report.rowCount);
    expect(rows).toContain(`${SECRET}-late late`);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.length).toBeLessThan(101);
    expect(await contentOf('/store')).toEqual(before);
  });

  test('goes by the policy that is asked for', async () => {
    const salvage = ['recover', '--salvage', '--policy', 'newest-found'] as const;

    const { exitCode, stdout } = await world.run(...FOLDER, ...salvage, '--out', '/saved', '--json');

    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, policy: 'newest-found' });
  });

  test('touches nothing that is there, and writes nothing into the old folder', async () => {
    await world.fileSystem.makeDirectory('/taken');

    const taken = await world.run(...FOLDER, 'recover', '--salvage', '--out', '/taken');
    const inside = await world.run(...FOLDER, 'recover', '--salvage', '--out', '/store/saved');
    const same = await world.run(...FOLDER, 'recover', '--salvage', '--out', '/store');

    expect([taken.exitCode, inside.exitCode, same.exitCode]).toEqual([1, 4, 4]);
    expect(taken.stderr).toContain('/taken');
    expect(await namesIn('/taken')).toEqual([]);
    expect(await namesIn('/')).toEqual(['store', 'taken']);
  });

  test('stops when it is asked to, and leaves nothing', async () => {
    world.interruption.abort('SIGTERM');

    const { exitCode } = await world.run(...FOLDER, 'recover', '--salvage', '--out', '/saved');

    expect(exitCode).toBe(143);
    expect(await namesIn('/')).toEqual(['store']);
  });
});

describe('kayactl recover', () => {
  test.each([
    ['', 'recover needs --dry-run, --plan or --salvage'],
    ['--dry-run --plan', 'recover takes one of'],
    ['--plan --salvage --out /x', 'recover takes one of'],
    ['--dry-run --html /x', '--html goes with --plan'],
    ['--salvage', '--salvage needs --out DIR'],
    ['--plan --out /x', '--out, --policy and --log go with --salvage'],
    ['--dry-run --policy provable', '--out, --policy and --log go with --salvage'],
    ['--salvage --out /x --policy all', 'Allowed choices are provable, newest-found'],
    ['--plan --html=', 'has an empty name'],
  ])('%s is one sentence and status 4', async (flags, sentence) => {
    const words = flags.split(' ').filter((word) => word !== '');

    const { exitCode, stdout, stderr } = await world.run(...FOLDER, 'recover', ...words);

    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});
