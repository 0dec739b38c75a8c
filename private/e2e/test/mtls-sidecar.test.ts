/** runbooks/mtls-sidecar.md: the certificates, the configurations, and three plain nodes of which others see nothing but stunnel. */

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { encodeRequest } from '@kayadb/codec';
import { makeTestCertificate } from '@kayadb/transport/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';

import { encodeGreeting, verdictOf } from './support/cluster/greeting.ts';
import { openRunFolder } from './support/cluster/run-folder.ts';
import { tiedNode } from './support/cluster/tied-command.ts';
import {
  loopbackIsNarrow,
  movedTo,
  networkAddress,
  ownLoopback,
  readEnvironment,
} from './support/deploy/loopback-machines.ts';
import { saySecurely, serialOf, type Shown } from './support/deploy/say-securely.ts';
import { Stunnel, stunnelIsAbsent } from './support/deploy/stunnel.ts';
import { type ProcessResult, runKayactl, runProgram } from './support/processes.ts';
import { type Folder, KAYACTL, KAYADB_SERVER, openFolder, ROOT } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';
import { shellBlocks } from './support/shell-blocks.ts';

const TIMEOUT_MS = 240_000;
const SCRIPTS = join(ROOT, 'scripts/mtls-sidecar');
const NODES = [1, 2, 3] as const;
const OPERATOR = 9;
const tunnelsAreRefused = stunnelIsAbsent || loopbackIsNarrow;
const LIST = '1 10.0.0.1\n2 10.0.0.2 db2.example fd00::2\n';

/** A folder with a list of nodes, as the runbook begins. */
function openDesk(): Folder {
  const folder = openFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  writeFileSync(folder.at('nodes'), LIST);
  return folder;
}

function runScript(name: string, ...argv: readonly string[]): Promise<ProcessResult> {
  return runProgram('bash', [join(SCRIPTS, name), ...argv]);
}

async function x509(file: string, ...what: readonly string[]): Promise<string> {
  const { stdout } = await runProgram('openssl', ['x509', '-in', file, '-noout', ...what]);
  return stdout.replaceAll(/\s+/g, ' ').trim();
}

/** Names, times of change and bytes of all files in a folder. */
function pictureOf(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [
      name,
      `${statSync(join(folder, name)).mtimeMs} ${readFileSync(join(folder, name), 'base64')}`,
    ]),
  );
}

describe('setup-certs.sh', { timeout: TIMEOUT_MS }, () => {
  test('makes a CA, nodes and clients with the names and purposes that each needs, readable by their owner alone', async () => {
    const desk = openDesk();

    const { exitCode, stdout } = await runScript('setup-certs.sh', desk.at('nodes'), desk.at('certs'), 'app');
    const at = (name: string): string => desk.at('certs', name);

    const leaves = ['node-1.crt', 'node-2.crt', 'client-app.crt'];
    const verified = await runProgram('openssl', ['verify', '-CAfile', at('ca.crt'), ...leaves.map(at)]);
    const bundle = ['-in', at('node-2.p12'), '-passin', `file:${at('p12-password')}`];
    const opened = await runProgram('openssl', ['pkcs12', ...bundle, '-nodes']);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('kept: 0') });
    expect(verified.stdout).toBe(leaves.map((name) => `${at(name)}: OK\n`).join(''));
    expect(await x509(at('node-2.crt'), '-ext', 'subjectAltName,extendedKeyUsage,basicConstraints')).toBe(
      'X509v3 Subject Alternative Name: DNS:node-2.kayadb.internal, IP Address:10.0.0.2, DNS:db2.example, IP Address:FD00:0:0:0:0:0:0:2 ' +
        'X509v3 Basic Constraints: critical CA:FALSE ' +
        'X509v3 Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication',
    );
    expect(await x509(at('client-app.crt'), '-ext', 'subjectAltName,extendedKeyUsage')).toBe(
      'X509v3 Subject Alternative Name: DNS:app.client.kayadb.internal ' +
        'X509v3 Extended Key Usage: TLS Web Client Authentication',
    );
    expect(opened.stdout.match(/BEGIN (?:CERTIFICATE|PRIVATE KEY)/g)).toHaveLength(3);
    const modes = readdirSync(desk.at('certs')).map((name) => (statSync(at(name)).mode & 0o777).toString(8));
    expect([...new Set(modes)]).toEqual(['600']);
    expect(statSync(desk.at('certs')).mode & 0o777).toBe(0o700);
  });

  test('keeps what is there, and adds what the list has more', async () => {
    const desk = openDesk();
    const run = (): Promise<ProcessResult> => runScript('setup-certs.sh', desk.at('nodes'), desk.at('certs'));
    await run();
    const first = pictureOf(desk.at('certs'));

    const again = await run();
    const second = pictureOf(desk.at('certs'));
    writeFileSync(desk.at('nodes'), `${LIST}4 fd00::4 # another\n`);
    const grown = await run();
    const third = pictureOf(desk.at('certs'));

    expect(again.stdout).toContain('nothing; kept: 4');
    expect(second).toEqual(first);
    expect(grown.stdout).toContain('node-4; kept: 4');
    expect(third).toMatchObject(first);
    expect(Object.keys(third).filter((name) => !(name in first))).toEqual(['node-4.crt', 'node-4.key', 'node-4.p12']);
  });

  test('overwrites nothing: what does not agree with the list ends it with a sentence', async () => {
    const desk = openDesk();
    writeFileSync(desk.at('nodes'), '1 10.0.0.1\n');
    await runScript('setup-certs.sh', desk.at('nodes'), desk.at('certs'));
    const other = makeTestCertificate({ subject: 'another', isAuthority: true }).certificate;
    const cases: readonly (readonly [name: string, list: string, change: (folder: string) => void])[] = [
      ['is for DNS:node-1', '1 10.0.0.77\n', () => {}],
      ['one is missing', '1 10.0.0.1\n', (folder) => rmSync(join(folder, 'node-1.key'))],
      ['no ca.crt', '1 10.0.0.1\n', (folder) => rmSync(join(folder, 'ca.crt'))],
      ['to sign node-2', '1 10.0.0.1\n2 10.0.0.2\n', (folder) => rmSync(join(folder, 'ca.key'))],
      ['is not signed by', '1 10.0.0.1\n', (folder) => writeFileSync(join(folder, 'ca.crt'), other)],
    ];

    const results = await Promise.all(
      cases.map(async ([sentence, list, change], i) => {
        const [folder, nodes] = [desk.at(`case-${i}`), desk.at(`nodes-${i}`)];
        cpSync(desk.at('certs'), folder, { recursive: true });
        writeFileSync(nodes, list);
        change(folder);
        const before = pictureOf(folder);
        const { exitCode, stderr } = await runScript('setup-certs.sh', nodes, folder);
        return { sentence, exitCode, stderr, isChanged: !isDeepStrictEqual(pictureOf(folder), before) };
      }),
    );

    for (const { sentence, ...result } of results) {
      expect(result).toEqual({ exitCode: 1, stderr: expect.stringMatching(/^ERROR: .*\n$/), isChanged: false });
      expect(result.stderr).toContain(sentence);
    }
  });

  test.each([
    ['x 10.0.0.1\n', 'x is no number of a node'],
    ['1\n', 'node 1 has no host'],
    ['1 a.example\n1 b.example\n', 'node 1 is there twice'],
    ['1 $(reboot)\n', 'neither an address nor a DNS name'],
    ['# nobody\n', 'names no node'],
  ])('refuses the list %j', async (list, sentence) => {
    const desk = openDesk();
    writeFileSync(desk.at('nodes'), list);

    const results = await Promise.all(
      ['setup-certs.sh', 'make-sidecars.sh'].map((name) => runScript(name, desk.at('nodes'), desk.at('out'))),
    );

    for (const { exitCode, stderr } of results) {
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(sentence) });
    }
  });
});

/** Words of a command line of ghostunnel, which tells a wrong one only when it runs. */
const GHOSTUNNEL_FLAGS = {
  both: ['--listen', '--target', '--cert', '--key', '--cacert', '--timed-reload', '--quiet'],
  server: ['--allow-all', '--allow-dns'],
  client: ['--override-server-name', '--verify-dns', '--skip-resolve'],
} as const;

describe('make-sidecars.sh', { timeout: TIMEOUT_MS }, () => {
  test('gives ghostunnel the same tunnels as stunnel, with flags that it has', async () => {
    const desk = openDesk();

    await runScript('make-sidecars.sh', desk.at('nodes'), desk.at('out'));

    for (const machine of ['node-1', 'node-2', 'client']) {
      const lines = readdirSync(desk.at('out', machine, 'ghostunnel')).map((name) =>
        readEnvironmentLine(readFileSync(desk.at('out', machine, 'ghostunnel', name), 'utf8')),
      );
      const ways = lines.map((words) => `${after(words, '--listen')} ${after(words, '--target')}`);
      expect(ways.toSorted()).toEqual(tunnelsOf(readFileSync(desk.at('out', machine, 'stunnel.conf'), 'utf8')));
      for (const [mode, ...words] of lines) {
        const known: readonly string[] = [...GHOSTUNNEL_FLAGS.both, ...GHOSTUNNEL_FLAGS[mode as 'server' | 'client']];
        expect(words.filter((word) => word.startsWith('--') && !known.includes(word))).toEqual([]);
      }
    }
  });

  test('tells a lone node of no peers, and opens no port for them', async () => {
    const desk = openDesk();
    writeFileSync(desk.at('nodes'), '7 db.example\n');

    await runScript('make-sidecars.sh', desk.at('nodes'), desk.at('out'));

    const settings = readEnvironment(readFileSync(desk.at('out/node-7/kayadb.env'), 'utf8'));
    expect(settings).toMatchObject({ KAYA_NODE_ID: '7', KAYA_ADVERTISE_CLIENT_ADDR: '127.0.0.1:27007' });
    expect(Object.keys(settings)).not.toContain('KAYA_PEER');
    expect(tunnelsOf(readFileSync(desk.at('out/node-7/stunnel.conf'), 'utf8'))).toEqual([
      'db.example:17379 127.0.0.1:7379',
      'db.example:19090 127.0.0.1:9090',
    ]);
  });
});

describe('compose.yaml', { timeout: TIMEOUT_MS }, () => {
  test('gives each node the tunnels that the scripts make for it, and nothing of it to the network', async () => {
    const desk = openDesk();
    cpSync(join(ROOT, 'scripts'), desk.at('scripts'), { recursive: true });
    const compose = parse(readFileSync(join(SCRIPTS, 'compose.yaml'), 'utf8'), { merge: true }) as {
      readonly services: Readonly<Record<string, ComposeService>>;
    };
    const blocks = shellBlocks(readFileSync(join(ROOT, 'runbooks/mtls-sidecar.md'), 'utf8'));
    const { script } = blocks.find((block) => block.script.includes('compose-nodes'))!;

    const { exitCode } = await runProgram('bash', ['-c', `set -e\n${script}`], { cwd: desk.path });

    expect(exitCode).toBe(0);
    const at = (...parts: readonly string[]): string => desk.at('scripts/mtls-sidecar', ...parts);
    const machines = NODES.map((node) => [`machine-${node}`, `tunnels-${node}`, `node-${node}`] as const);
    for (const [machine, tunnels, owner] of [...machines, ['client', 'tunnels-client', 'client'] as const]) {
      const { volumes = [], network_mode: network } = compose.services[tunnels]!;
      const mounted = volumes.map((volume) => volume.split(':'));
      const config = readFileSync(at('sidecars', owner, 'stunnel.conf'), 'utf8');
      const wanted = [...config.matchAll(/^(?:CAfile|cert|key) = (?<path>.*)$/gm)].map(
        ({ groups }) => groups!['path']!,
      );
      expect(mounted.filter(([from = '']) => !existsSync(at(from)))).toEqual([]);
      expect(mounted.map(([, to]) => to)).toEqual(['/etc/kayadb/mtls/stunnel.conf', ...wanted]);
      expect(network).toBe(`service:${machine}`);
      expect(compose.services[machine]!.hostname).toBe(owner);
    }
    for (const [machine, , node] of machines) {
      expect(compose.services[node]).toMatchObject({
        env_file: `sidecars/${node}/kayadb.env`,
        network_mode: `service:${machine}`,
        volumes: [`${node}:/var/lib/kayadb`],
      });
      expect(compose.services[machine]!.networks).toEqual({ default: { aliases: [node] } });
    }
    expect(Object.values(compose.services).filter(({ ports }) => ports !== undefined)).toEqual([]);
  });
});

interface ComposeService {
  readonly hostname?: string;
  readonly env_file?: string;
  readonly network_mode?: string;
  readonly networks?: unknown;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
}

function readEnvironmentLine(text: string): readonly string[] {
  return /^GHOSTUNNEL_ARGS=(?<words>.*)\n$/u.exec(text)?.groups?.['words']?.split(' ') ?? [];
}

function after(words: readonly string[], flag: string): string {
  return words[words.indexOf(flag) + 1] ?? '';
}

/** From where to where, of a configuration of stunnel. */
function tunnelsOf(config: string): readonly string[] {
  const pairs = [...config.matchAll(/^accept = (?<from>.*)\nconnect = (?<to>.*)$/gm)];
  return pairs.map(({ groups }) => `${groups!['from']} ${groups!['to']}`).toSorted();
}

/** The runbook's blocks, with what stands for the machines around them. */
class Deployment implements AsyncDisposable {
  readonly #folder = openRunFolder();
  readonly #nodes = new Map<number, ServerProcess>();
  readonly #tunnels = new Map<number, Stunnel>();
  readonly #blocks = shellBlocks(readFileSync(join(ROOT, 'runbooks/mtls-sidecar.md'), 'utf8'));
  readonly certs = this.#folder.at('certs');

  constructor() {
    symlinkSync(join(ROOT, 'scripts'), this.#folder.at('scripts'));
    writeFileSync(this.#folder.at('kayactl'), `#!/bin/sh\nexec '${process.execPath}' '${KAYACTL}' "$@"\n`, {
      mode: 0o755,
    });
  }

  /** Types the block that has `word` in it, as the operator. */
  async type(word: string): Promise<ProcessResult> {
    const block = this.#blocks.find(({ script }) => script.includes(word));
    return runProgram('bash', ['-c', `set -e -o pipefail\n${movedTo(OPERATOR, block?.script ?? 'exit 99')}`], {
      cwd: this.#folder.path,
      env: { PATH: `${this.#folder.path}:${process.env['PATH'] ?? ''}`, TLS_DIR: this.certs },
    });
  }

  /** What systemd does on a machine: the node with its settings, and its tunnels. */
  async startMachine(number: number): Promise<void> {
    await this.startTunnels(number, `node-${number}`);
    this.startNode(number);
  }

  startNode(number: number): void {
    const text = readFileSync(this.#folder.at('sidecars', `node-${number}`, 'kayadb.env'), 'utf8');
    // Clients are told of the tunnels on their own machine.
    const [own, told] = [movedTo(number, text), movedTo(OPERATOR, text)].map(readEnvironment);
    const env = { ...own!, KAYA_ADVERTISE_CLIENT_ADDR: told!['KAYA_ADVERTISE_CLIENT_ADDR']! };
    const command = tiedNode(KAYADB_SERVER);
    const node = ServerProcess.launch(this.#folder.at(`data-${number}`), { isBare: true, env, command });
    this.#nodes.set(number, node);
  }

  async startTunnels(number: number, whose: string): Promise<void> {
    const config = this.#folder.at('sidecars', whose, 'moved.conf');
    writeFileSync(config, movedTo(number, readFileSync(this.#folder.at('sidecars', whose, 'stunnel.conf'), 'utf8')));
    this.#tunnels.set(number, await Stunnel.start(config));
  }

  node(number: number): ServerProcess {
    return this.#nodes.get(number)!;
  }

  tunnels(number: number): Stunnel {
    return this.#tunnels.get(number)!;
  }

  /** kayactl on the operator's machine. */
  kayactl(...argv: readonly string[]): Promise<ProcessResult> {
    const servers = NODES.flatMap((node) => ['--server', `${ownLoopback(OPERATOR)}:${27_000 + node}`]);
    return runKayactl([...servers, ...argv]);
  }

  /** A certificate of the runbook, or of another CA. */
  shown(name?: string): Shown {
    const read = (file: string): Buffer => readFileSync(join(this.certs, file));
    const ca = read('ca.crt');
    return name === undefined ? { ca } : { ca, certificate: read(`${name}.crt`), key: read(`${name}.key`) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.kill()));
    await Promise.all([...this.#tunnels.values()].map((tunnels) => tunnels[Symbol.asyncDispose]()));
  }
}

async function startDeployment(): Promise<Deployment> {
  const deployment = new Deployment();
  onTestFinished(() => deployment[Symbol.asyncDispose]());
  const { exitCode, stderr } = await deployment.type('setup-certs.sh');
  if (exitCode !== 0) throw new Error(stderr);
  await Promise.all(NODES.map((number) => deployment.startMachine(number)));
  await deployment.startTunnels(OPERATOR, 'client');
  await Promise.all(NODES.map((number) => deployment.node(number).ready));
  return deployment;
}

interface MemberDocument {
  readonly cluster: string;
  readonly leader: number;
  readonly members: readonly {
    readonly node: number;
    readonly peer_address: string;
    readonly incarnation: number;
    readonly is_answering: boolean | null;
  }[];
}

describe.skipIf(tunnelsAreRefused)(
  `plain nodes behind stunnel${stunnelIsAbsent ? ' (install the Debian package stunnel4 to run this)' : ''}`,
  { timeout: TIMEOUT_MS },
  () => {
    test('are a cluster for whoever shows a certificate, reach each other by the tunnels of --peer, and let nobody else in', async () => {
      const deployment = await startDeployment();

      const typed = await deployment.type('kayactl --server');
      const refusedByOpenssl = await deployment.type('s_client');
      const { cluster, leader, members } = JSON.parse(
        (await deployment.kayactl('members', '--json')).stdout,
      ) as MemberDocument;
      const [first, second] = [members[0]!, members[1]!];
      const stranger = makeTestCertificate({ subject: 'stranger' });
      const untrusted = { ...deployment.shown(), certificate: stranger.certificate, key: stranger.key };
      const health = encodeRequest({ kind: 'health' });
      const greeting = encodeGreeting({ cluster, sender: 2, addressee: 1, incarnation: second.incarnation });
      const http = Buffer.from('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const say = (port: number, bytes: Uint8Array, shown: Shown): Promise<Buffer> =>
        saySecurely(networkAddress(1), port, bytes, shown);
      const operator = deployment.shown('client-operator');
      const servedSerial = (): Promise<string> => serialOf(networkAddress(1), 17_379, operator);
      const said = {
        'clients: a client': (await say(17_379, health, operator)).length > 0,
        'clients: nothing': (await say(17_379, health, deployment.shown())).length > 0,
        'clients: untrusted': (await say(17_379, health, untrusted)).length > 0,
        'nodes: another node': verdictOf(await say(17_481, greeting, deployment.shown('node-2'))) !== 'no answer',
        'nodes: a client': verdictOf(await say(17_481, greeting, operator)) !== 'no answer',
        'nodes: itself': verdictOf(await say(17_481, greeting, deployment.shown('node-1'))) !== 'no answer',
        'nodes: untrusted': verdictOf(await say(17_481, greeting, untrusted)) !== 'no answer',
        'reports: a client': (await say(19_090, http, operator)).toString().startsWith('HTTP/1.1 200'),
        'reports: nothing': (await say(19_090, http, deployment.shown())).length > 0,
        'reports: untrusted': (await say(19_090, http, untrusted)).length > 0,
      };

      expect(typed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('world') });
      expect(refusedByOpenssl.stdout).toBe('turned away\n');
      expect(refusedByOpenssl.stderr).toContain('alert certificate required');
      expect(said).toEqual({
        'clients: a client': true,
        'clients: nothing': false,
        'clients: untrusted': false,
        'nodes: another node': true,
        'nodes: a client': false,
        'nodes: itself': false,
        'nodes: untrusted': false,
        'reports: a client': true,
        'reports: nothing': false,
        'reports: untrusted': false,
      });
      // What a node says of itself leads nowhere from the others here, so the links can only be those of --peer.
      expect(first.peer_address).toBe(`${ownLoopback(1)}:28001`);
      expect(members.map(({ is_answering: isAnswering }) => isAnswering)).not.toContain(false);

      await deployment.node(leader).kill();
      const written = await deployment.kayactl('put', 'after', 'the kill');
      deployment.startNode(leader);
      await deployment.node(leader).ready;
      const read = await deployment.kayactl('get', 'after');

      const serial = await servedSerial();
      for (const name of ['node-1.crt', 'node-1.key', 'node-1.p12']) rmSync(join(deployment.certs, name));
      const renewed = await deployment.type('setup-certs.sh nodes');
      deployment.tunnels(1).child.kill('SIGHUP');
      // It lets go of its ports for a moment, and shows the old one until then.
      let served = serial;
      while (served === serial) served = await servedSerial().catch(() => serial);

      expect(renewed.stdout).toContain(`made in certs: node-1; kept: 4`);
      expect(served).toMatch(/^[0-9A-F]+$/);
      expect(written).toMatchObject({ exitCode: 0 });
      expect(read).toMatchObject({ exitCode: 0, stdout: 'the kill\n' });
    });
  },
);
