/**
 * The cluster that anybody can start on one machine, and the pages that are typed with it: in an empty folder that has the parts of a clone which commands name, with free ports in place of the
 * documented ones, all blocks of a page in one terminal.
 */

import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { findFreePorts } from './support/cluster/free-ports.ts';
import { type ProcessResult, runProgram } from './support/processes.ts';
import { rootScripts } from './support/reader.ts';
import { type Folder, openFolder, ROOT } from './support/repository.ts';
import { shellBlocks } from './support/shell-blocks.ts';

const TIMEOUT_MS = 180_000;

/** What `corepack pnpm` does for the reader of a page, without the build. */
const CORE_PACK = `#!/bin/sh
if [ "$1 $2 $3" != "pnpm -s kayactl" ]; then echo "not a command of this page's tests: corepack $*" >&2; exit 97; fi
shift 3
exec '${process.execPath}' apps/kayactl/bin/kayactl.js "$@"
`;

/**
 * For `sleep 1`, which is enough for a reader: every node has taken the TLS files as they are, or was started behind them. On a busy machine a second is not always enough.
 */
const TAKEN = `taken() {
  local node file last
  for node in 1 2 3; do
    for file in ca.crt "node-$node.crt" "node-$node.key"; do
      while
        last=$(sed -n 's/.*"time":"\\([^"]*\\)".*"event":"tls.replaced".*/\\1/p' "cluster/node-$node/log" | tail -n 1)
        last=$(if [ -n "$last" ]; then date -d "$last" +%s%3N; else date -r "cluster/node-$node/pid" +%s%3N; fi)
        [ "$last" -lt "$(date -r "$TLS_DIR/$file" +%s%3N)" ]
      do sleep 0.1; done
    done
  done
}`;

class Terminal implements AsyncDisposable {
  readonly folder: Folder = openFolder();
  /** The first of three, of each kind. */
  readonly #ports: { readonly client: number; readonly raft: number; readonly metrics: number };

  private constructor(firstPort: number) {
    this.#ports = { client: firstPort, raft: firstPort + 3, metrics: firstPort + 6 };
    for (const name of ['apps', 'packages', 'scripts']) symlinkSync(join(ROOT, name), this.folder.at(name));
    mkdirSync(this.folder.at('.bin'));
    writeFileSync(this.folder.at('.bin', 'corepack'), CORE_PACK);
    chmodSync(this.folder.at('.bin', 'corepack'), 0o755);
  }

  static async open(): Promise<Terminal> {
    for (;;) {
      const [first = 0, ...rest] = await findFreePorts(9);
      if (rest.at(-1) === first + rest.length) return new Terminal(first);
    }
  }

  run(script: string): Promise<ProcessResult> {
    const { client, raft, metrics } = this.#ports;
    return runProgram('bash', ['-c', `set -e -o pipefail\n${TAKEN}\n${this.#moved(script)}`], {
      cwd: this.folder.path,
      env: {
        PATH: `${this.folder.at('.bin')}:${process.env['PATH'] ?? ''}`,
        CLIENT_PORT: String(client),
        RAFT_PORT: String(raft),
        METRICS_PORT: String(metrics),
      },
    });
  }

  /** Process ids of the nodes, by their files. */
  get pids(): readonly number[] {
    const files = [1, 2, 3].map((node) => this.folder.at('cluster', `node-${node}`, 'pid'));
    return files.filter((file) => existsSync(file)).map((file) => Number(readFileSync(file, 'utf8')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runProgram('bash', ['scripts/stop-cluster.sh'], { cwd: this.folder.path });
    this.folder[Symbol.dispose]();
  }

  /** Documented ports and folders are those of the reader's machine. */
  #moved(script: string): string {
    const { client, metrics } = this.#ports;
    return script
      .replaceAll(/127\.0\.0\.1:73(79|80|81)/g, (_, last: string) => `127.0.0.1:${client + Number(last) - 79}`)
      .replaceAll('127.0.0.1:9090', `127.0.0.1:${metrics}`)
      .replaceAll('$((9089 + node))', `$((${metrics - 1} + node))`)
      .replaceAll('/tmp/kayadb-tls', this.folder.at('tls'))
      .replaceAll('sleep 1\n', 'taken\n');
  }
}

/** Whether the process runs; one that has ended may keep its number for a while. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('kayadb-server');
}

describe('the cluster of the scripts', { timeout: TIMEOUT_MS }, () => {
  test('starts in an empty folder, takes writes, says when it runs already, and stops', async () => {
    await using terminal = await Terminal.open();

    const started = await terminal.run('scripts/start-cluster.sh');
    const pids = terminal.pids;
    const all = [7379, 7380, 7381].map((port) => `--server 127.0.0.1:${port}`).join(' ');
    const used = await terminal.run(
      `corepack pnpm -s kayactl ${all} put hello world; corepack pnpm -s kayactl ${all} get hello`,
    );
    const again = await terminal.run('scripts/start-cluster.sh');
    const stopped = await terminal.run('scripts/stop-cluster.sh');

    expect(started).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('A cluster of 3 nodes is ready.') });
    expect(used.stdout).toMatch(/world\n$/);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('runs already') });
    expect(stopped).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('stopped 3 nodes') });
    expect(pids.map(isAlive)).toEqual([false, false, false]);
  });

  test('is what the root scripts start and stop', () => {
    const { cluster, 'cluster:stop': stop } = rootScripts();

    expect(cluster).toMatch(/ build .*&& exec scripts\/start-cluster\.sh$/);
    expect(stop).toBe('exec scripts/stop-cluster.sh');
  });
});

describe('the commands of', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['docs/operating/cluster.md', 5],
    ['docs/operating/tls.md', 7],
  ])('%s all run, in their order', async (path, atLeast) => {
    await using terminal = await Terminal.open();
    const blocks = shellBlocks(readFileSync(join(ROOT, path), 'utf8'));

    const told = blocks.map(({ script, line }) => `echo "block at line ${line}" >&2\n${script}`);
    const { exitCode, stderr } = await terminal.run(told.join('\n'));

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
    expect(blocks.length).toBeGreaterThanOrEqual(atLeast);
  });
});
