/**
 * scripts/deploy/docker without a container engine: what the image is made with is run in a folder, and what it runs in process namespaces and mounts of its own.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sized } from '@kayadb/testkit';
import { makeTestCertificate } from '@kayadb/transport/testing';
import { describe, expect, onTestFinished, test } from 'vitest';

import { findFreePorts } from './support/cluster/free-ports.ts';
import { openRunFolder } from './support/cluster/run-folder.ts';
import { parseDockerfile, textsOf, wordsOf } from './support/deploy/dockerfile.ts';
import { inNamespace, namespacesAreRefused } from './support/deploy/namespace.ts';
import { type ProcessResult, runProgram } from './support/processes.ts';
import { openFolder, ROOT } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const TIMEOUT_MS = 240_000;
/** What takes minutes is left to the long run. */
/** What takes minutes is no test of a short run. */
const LONG_RUNS = sized({ ci: [], long: ['in the long run'] });
const DOCKER = join(ROOT, 'scripts/deploy/docker');

const stages = parseDockerfile(readFileSync(join(DOCKER, 'Dockerfile'), 'utf8'));
const [build, image] = [stages[0]!, stages[1]!];
const ignored = readFileSync(join(DOCKER, 'Dockerfile.dockerignore'), 'utf8').split('\n');

describe('the Dockerfile', () => {
  test('ends in a stage without compilers, as a user that is a number and not root', () => {
    const [from] = textsOf(image, 'FROM');
    const runs = textsOf(image, 'RUN').join('\n');

    expect(stages).toHaveLength(2);
    expect(from).toMatch(/^node:20\.\d+-\w+-slim$/);
    expect(textsOf(build, 'FROM')).toEqual([`${from} AS build`]);
    expect(runs).not.toMatch(/apt-get|pnpm/);
    expect(textsOf(image, 'USER')).toEqual(['10001:10001']);
    expect(runs).toContain('install -d -o 10001 -g 10001 -m 0700 /var/lib/kayadb');
    expect(textsOf(image, 'VOLUME')).toEqual(['/var/lib/kayadb']);
  });

  test('copies, runs and names what is there', () => {
    const copied = textsOf(image, 'COPY')
      .filter((text) => !text.startsWith('--from'))
      .flatMap((text) => text.split(' ').slice(0, -1));
    const started = [...textsOf(image, 'ENTRYPOINT'), ...textsOf(image, 'HEALTHCHECK')].flatMap(wordsOf);

    expect(copied.map((path) => statSync(join(ROOT, path)).mode & 0o111)).toEqual([0o111, 0o111]);
    expect(started).toEqual(['/opt/kayadb/entry.sh', '/opt/kayadb/health.sh']);
    expect(copied.map((path) => path.replace('scripts/deploy/docker', '/opt/kayadb'))).toEqual(started);
    expect(textsOf(build, 'RUN').at(-1)).toBe('scripts/deploy/make-folder.sh /opt/kayadb');
    // Everything that make-folder.sh and the build read has to get through.
    for (const path of ignored.filter((line) => line.startsWith('!'))) {
      expect([path, existsSync(join(ROOT, path.slice(1)))]).toEqual([path, true]);
    }
    expect(ignored).toEqual(expect.arrayContaining(['!tsconfig.base.json', '!turbo.json', '!pnpm-lock.yaml']));
  });
});

/** A container that is started with these variables; `node` is its volume's name on this machine. */
function runContainer(volume: string, ports: readonly number[], env: Readonly<Record<string, string>> = {}) {
  const mounts = `mount -t tmpfs -o mode=755 tmpfs /var/lib; mkdir /var/lib/kayadb; mount --bind '${volume}' /var/lib/kayadb`;
  const [client, raft] = ports;
  const [entry = ''] = textsOf(image, 'ENTRYPOINT').flatMap(wordsOf);
  return ServerProcess.launch('/var/lib/kayadb/node', {
    isBare: true,
    command: inNamespace(`${mounts}\nexec ${entry} "$@"`, true),
    env: {
      KAYA_DATA: '/var/lib/kayadb/node',
      KAYA_CLIENT_ADDR: `127.0.0.1:${client}`,
      KAYA_RAFT_ADDR: `127.0.0.1:${raft}`,
      KAYA_NO_METRICS: 'yes',
      ...env,
    },
  });
}

/** The HEALTHCHECK, as the engine runs it: in the container, with its variables. */
function checkHealth(port: number, env: Readonly<Record<string, string>> = {}): Promise<ProcessResult> {
  const [check = ''] = textsOf(image, 'HEALTHCHECK').flatMap(wordsOf);
  const [file, ...argv] = inNamespace(`exec ${check}`);
  return runProgram(file, argv, { env: { KAYA_HEALTH_ADDR: `127.0.0.1:${port}`, ...env } });
}

describe.skipIf(namespacesAreRefused)('a container of the image', { timeout: TIMEOUT_MS }, () => {
  test('is healthy while it serves, also with TLS, and not when nobody is there', async () => {
    const folder = openRunFolder();
    const ports = await findFreePorts(2);
    const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
    const { certificate, key } = makeTestCertificate({ subject: 'node', issuer: ca, names: ['127.0.0.1'] });
    const files = { CA: ca.certificate, CERT: certificate, KEY: key };
    const env = Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => {
        writeFileSync(folder.at(name), bytes, { mode: 0o600 });
        return [`KAYA_TLS_${name}`, folder.at(name)];
      }),
    );
    mkdirSync(folder.at('volume'), { mode: 0o700 });

    const before = await checkHealth(ports[0]!, env);
    const container = runContainer(folder.at('volume'), ports, env);
    onTestFinished(() => container.kill());
    await container.ready;
    const healthy = await checkHealth(ports[0]!, env);
    const inClear = await checkHealth(ports[0]!);

    expect(before.exitCode).toBe(1);
    expect(healthy).toMatchObject({ exitCode: 0, stdout: 'leader\n' });
    expect(inClear.exitCode).toBe(1);
  });

  test('that was killed starts again in a namespace of its own, and never beside another one with its volume', async () => {
    const folder = openRunFolder();
    const volume = folder.at('volume');
    mkdirSync(volume, { mode: 0o700 });
    const ports = await findFreePorts(4);
    const first = runContainer(volume, ports);
    onTestFinished(() => first.kill());
    await first.ready;

    const beside = runContainer(volume, ports.slice(2));
    const { exitCode, stderr } = await beside.ended;
    const isUndisturbed = (await checkHealth(ports[0]!)).exitCode === 0;
    await first.kill();
    const locks = [join(volume, 'node/LOCK'), join(volume, 'node/groups/0/store-0/LOCK')].map((path) =>
      existsSync(path),
    );
    const second = runContainer(volume, ports);
    onTestFinished(() => second.kill());
    await second.ready;

    expect({ exitCode, stderr }).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('another container') });
    expect(isUndisturbed).toBe(true);
    // Without them this test would show nothing.
    expect(locks).toEqual([true, true]);
  });
});

describe.each(LONG_RUNS)('the stage that builds, %s', { timeout: 0 }, () => {
  test('makes, of the files that it is given, a folder that can be moved, with both programs and no dependency of tests', async () => {
    using folder = openFolder();
    mkdirSync(folder.at('src'));
    const given = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copy = `git ls-files ${given.join(' ')} | tar -cf - -T - | tar -xf - -C '${folder.at('src')}'`;
    const commands = textsOf(build, 'RUN').filter((text) => !text.startsWith('apt-get'));
    const run = (script: string): Promise<ProcessResult> =>
      runProgram('bash', ['-c', `set -e\n${script.replace('/opt/kayadb', folder.at('made'))}`], {
        cwd: folder.at('src'),
        deadlineMs: 0,
      });

    await runProgram('bash', ['-c', copy]);
    const results: ProcessResult[] = [];
    for (const command of commands) results.push(await run(command));
    const again = await run(commands.at(-1)!);
    renameSync(folder.at('made'), folder.at('moved'));
    await using server = await ServerProcess.start(folder.at('data'), {
      command: [process.execPath, folder.at('moved/apps/kayadb-server/bin/kayadb-server.js')],
    });
    const kayactl = [folder.at('moved/apps/kayactl/bin/kayactl.js'), '--server', server.address];
    const written = await runProgram(process.execPath, [...kayactl, 'put', 'k', 'v'], { cwd: folder.path });
    const size = await runProgram('du', ['-sm', folder.at('moved')]);

    expect(results.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
      commands.map(() => ({ exitCode: 0, stderr: expect.any(String) })),
    );
    expect(results.at(-1)?.stdout).toBe('kayadb-server 0.1.0\nkayactl 0.1.0\n');
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not empty') });
    expect(written.exitCode).toBe(0);
    expect(Number.parseInt(size.stdout, 10)).toBeLessThan(60);
    expect(readdirSync(folder.at('moved/node_modules/.pnpm')).filter((name) => name.startsWith('vitest'))).toEqual([]);
  });
});
