/**
 * Tokens that are like nothing else, and everything done with them that a node and kayactl can do, right and wrong: none of them is in a process list, a log, an answer, a report or a file but
 * those that it was put into.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type ProcessResult, startKayactl } from './support/processes.ts';
import { type Folder, openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

/** Each with a name that says whose it is, and a part that all have, to be looked for. */
const MARK = 'seeded5ecret';
const TOKENS = {
  client: `client-${MARK}-4d1f0c`,
  operator: `operator-${MARK}-9b77ae`,
  guess: `guess-${MARK}-000000`,
} as const;

const ENCODED = [
  MARK,
  Buffer.from(MARK).toString('hex'),
  Buffer.from(MARK).toString('base64').replace(/=+$/, '').slice(0, -1),
];

function findIn(name: string, text: string): readonly string[] {
  return ENCODED.filter((form) => text.includes(form)).map((form) => `${name} has ${form}`);
}

/** Every process of the machine, as `ps` shows it. */
function processList(): string {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1') + readFileSync(`/proc/${pid}/comm`, 'latin1');
      } catch {
        // It has ended meanwhile.
        return '';
      }
    });
  return lines.join('\n');
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

class World implements AsyncDisposable {
  readonly found: string[] = [];
  /** How many outputs of any kind were looked through. */
  lookedThrough = 0;
  readonly #folder: Folder;
  readonly #node: ServerProcess;

  private constructor(folder: Folder, node: ServerProcess) {
    this.#folder = folder;
    this.#node = node;
  }

  static async open(): Promise<World> {
    const folder = openFolder();
    for (const [name, token] of Object.entries(TOKENS)) writeFileSync(folder.at(name), `${token}\n`, { mode: 0o600 });
    const node = await ServerProcess.start(folder.at('data'), {
      hasReports: true,
      env: { KAYA_CLIENT_TOKEN: TOKENS.client },
      flags: ['--operator-token-file', folder.at('operator'), '--log-level', 'trace'],
    });
    return new World(folder, node);
  }

  /** One command, with tokens from files or the environment; what it says and how it looks among all processes is looked through. */
  async kayactl(
    argv: readonly string[],
    client: keyof typeof TOKENS,
    operator: keyof typeof TOKENS,
  ): Promise<ProcessResult> {
    const files = ['--operator-token-file', this.#folder.at(operator)];
    const env = { KAYA_CLIENT_TOKEN: TOKENS[client] };
    await using running = startKayactl(['--server', this.#node.address, ...files, ...argv], { env });
    this.look(`process list beside ${argv.join(' ')}`, processList());
    const result = await running.finished;
    this.look(`kayactl ${argv.join(' ')}`, `${result.stdout}${result.stderr}`);
    return result;
  }

  /** One page of the reports. */
  async fetch(path: string, token?: string): Promise<number> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const base = String(this.#node.event('node.listening')['reportsUrl']);
    const response = await fetch(new URL(path, base), { headers });
    this.look(path, `${JSON.stringify([...response.headers])}${await response.text()}`);
    return response.status;
  }

  /** Stops the node and looks through what it leaves. */
  async end(): Promise<void> {
    this.look('process list', processList());
    const { stderr } = await this.#node.stop();
    this.look('log', stderr);
    for (const file of filesBelow(this.#folder.at('data'))) this.look(file, readFileSync(file, 'latin1'));
  }

  look(name: string, text: string): void {
    this.lookedThrough++;
    this.found.push(...findIn(name, text));
  }

  get failedAttempts(): number {
    return this.#node.log.filter(({ event }) => event === 'auth.failed').length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.kill();
    this.#folder[Symbol.dispose]();
  }
}

describe('tokens', { timeout: timeoutFor(120_000) }, () => {
  test('are in no process list, log, answer, report or file of data, whatever is done with them', async () => {
    await using world = await World.open();
    const commands = [
      ['put', 'k', 'v'],
      ['get', 'k'],
      ['scan'],
      ['stats'],
      ['status', '--json'],
      ['members', '--json'],
      ['add-node', '9', '127.0.0.1:1', '127.0.0.1:2', '--dry-run'],
      ['remove-node', '9', '--dry-run'],
      ['transfer-leader', '1'],
    ];

    const exits: (readonly (number | null)[])[] = [];
    for (const argv of commands) {
      const results = [
        world.kayactl(argv, 'client', 'operator'),
        world.kayactl(argv, 'guess', 'guess'),
        world.kayactl(argv, 'operator', 'client'),
      ];
      exits.push((await Promise.all(results)).map(({ exitCode }) => exitCode));
    }
    const pages = [
      await world.fetch('/metrics'),
      await world.fetch('/readyz?verbose'),
      await world.fetch('/v1/status', TOKENS.client),
      await world.fetch('/v1/status', TOKENS.guess),
      await world.fetch(`/v1/status?token=${TOKENS.guess}`),
    ];
    const { failedAttempts } = world;
    await world.end();

    // A cluster of which no node tells anything has no status, and that is 1; a change that makes no sense is, too.
    expect(exits.map(([, ...refused]) => refused)).toEqual(
      commands.map(([name]) => (name === 'status' ? [1, 1] : [4, 4])),
    );
    expect(exits.some(([right]) => right === 4)).toBe(false);
    expect(pages).toEqual([200, 200, 200, 401, 401]);
    expect(failedAttempts).toBeGreaterThanOrEqual(2 * commands.length);
    expect(world.lookedThrough).toBeGreaterThan(70);
    expect(world.found).toEqual([]);
  });

  test('would be found where somebody types one, so the search is not blind', async () => {
    await using running = startKayactl(['--server', '127.0.0.1:1', '--client-token', TOKENS.guess, 'health']);

    const found = findIn('process list', processList());
    await running.finished;

    expect(found).toEqual([`process list has ${MARK}`]);
  });
});
