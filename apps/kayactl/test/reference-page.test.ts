/** docs/reference/kayactl.md names exactly the commands, flags and exit statuses that the program has. */

import { readFile } from 'node:fs/promises';

import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';

import packageJson from '../package.json' with { type: 'json' };
import { EXIT } from '../src/exit-codes.ts';
import { Invocation } from '../src/invocation.ts';
import { buildProgram } from '../src/program.ts';
import { VERSION } from '../src/version.ts';
import { TestWorld } from './test-world.ts';

const PAGE = new URL('../../../docs/reference/kayactl.md', import.meta.url);

async function readSections(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(PAGE, 'utf8');
  const sections = text.split(/^#{2,3} /m).map((section): [string, string] => {
    const [title = '', ...body] = section.split('\n');
    return [title, body.join('\n')];
  });
  return new Map(sections);
}

function openProgram(): Command {
  const world = new TestWorld();
  return buildProgram(new Invocation(world.io()));
}

/** The commands a user can see, with `help`, which commander adds by itself. */
function visibleCommands(program: Command): readonly Command[] {
  return program.createHelp().visibleCommands(program);
}

function flagsOf(command: Command): readonly string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long }) => long ?? '')
    .filter((flag) => flag !== '--help')
    .toSorted();
}

/** Flags in the first column of the tables of a section. */
function flagsIn(section: string | undefined): readonly string[] {
  const cells = (section ?? '')
    .split('\n')
    .map((line) => /^\| (?<cell>[^|]+?(?:\\\|[^|]+?)*) \|/.exec(line)?.groups?.['cell']);
  return cells
    .flatMap((cell) => Array.from(cell?.matchAll(/`(--[a-z-]+)/g) ?? [], ([, flag]) => flag ?? ''))
    .filter((flag) => flag !== '--help')
    .toSorted();
}

test('embedded stats have the names that the server has', async () => {
  const page = await readFile(new URL('server.md', PAGE), 'utf8');
  const listed = /## STATS\n[^]*?```text\n(?<names>[^`]*)```/.exec(page)?.groups?.['names'] ?? '';
  const world = new TestWorld();
  await world.run('--data', '/store', 'put', 'k', 'v');

  const { stdout } = await world.run('--data', '/store', 'stats', '--json');

  expect(Object.keys(JSON.parse(stdout)).toSorted()).toEqual(listed.trim().split(/\s+/).toSorted());
});

describe('docs/reference/kayactl.md', () => {
  test('has a section for each command, with the very flags of the program', async () => {
    const sections = await readSections();

    const described = visibleCommands(openProgram()).map((command) => [
      command.name(),
      flagsIn(sections.get(command.name())),
    ]);

    expect(described).toEqual(visibleCommands(openProgram()).map((command) => [command.name(), flagsOf(command)]));
  });

  test('has the global flags of the program', async () => {
    const sections = await readSections();

    const described = flagsIn(sections.get('Global flags'));

    expect(described).toEqual(flagsOf(openProgram()));
  });

  test('has a row for each exit status', async () => {
    const section = (await readSections()).get('Exit status and errors') ?? '';

    const described = Array.from(section.matchAll(/^\| (\d+) \|/gm), ([, status]) => Number(status));

    expect(described).toEqual(Object.values(EXIT));
  });
});

describe('kayactl', () => {
  test('has examples in the help of each command', async () => {
    const names = visibleCommands(openProgram()).map((command) => command.name());

    const helps = await Promise.all(
      names.filter((name) => name !== 'help').map((name) => new TestWorld().run(name, '--help')),
    );

    expect(helps.length).toBeGreaterThan(10);
    for (const { exitCode, stdout } of helps) {
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/\nExamples:\n {2}\$ /);
    }
  });

  test('prints the version of its package', async () => {
    const { stdout } = await new TestWorld().run('--version');

    expect(stdout).toBe(`kayactl ${packageJson.version}\n`);
    expect(VERSION).toBe(packageJson.version);
  });
});

describe('wrong use', () => {
  test.each([
    ['putt a b', "unknown command 'putt'; did you mean put?"],
    ['scan --limt 3', "unknown option '--limt'; did you mean --limit?"],
    ['--server nowhere get k', 'Write it as host:port, for example 127.0.0.1:7379'],
    ['--timeout 0 get k', 'Give a whole number from 1 to 86400000.'],
    ['--durability never get k', 'Allowed choices are strict, interval, relaxed.'],
    ['get', "missing required argument 'key'"],
    ['get a b', "too many arguments for 'get'"],
    ['put a -b', "unknown option '-b'"],
    ['recover', 'recover needs --dry-run, --plan or --salvage'],
    ['inspect nothing x', 'nothing is no kind of file'],
    ['get k --client-token a --client-token-file b', '--client-token and --client-token-file are both given'],
    ['', 'no known command is given'],
  ])('kayactl %s is one sentence and status 4', async (line, sentence) => {
    const argv = line.split(' ').filter((word) => word !== '');

    const text = await new TestWorld().run(...argv);
    const json = await new TestWorld().run(...argv, '--json');

    expect(text).toMatchObject({ exitCode: 4, stdout: '' });
    expect(text.stderr.split('\n')).toEqual([expect.stringMatching(/^ERROR: /), expect.stringMatching(/^HINT: /), '']);
    expect(text.stderr).toContain(sentence);
    expect(JSON.parse(json.stderr).error).toMatchObject({
      code: 'KAYA_USAGE',
      message: expect.stringContaining(sentence),
    });
  });

  test('puts global flags before or after the command', async () => {
    const world = new TestWorld();
    await world.run('--data', '/store', '--json', 'put', 'k', 'v');

    const results = await Promise.all([
      world.run('--data', '/absent', 'get', 'k'),
      world.run('get', 'k', '--data', '/absent'),
      world.run('get', '--data', '/absent', 'k'),
    ]);

    expect(results.map(({ stderr }) => stderr)).toEqual(Array.from({ length: 3 }, () => results[0]?.stderr));
    expect(results[0]?.stderr).toContain('/absent');
  });
});
