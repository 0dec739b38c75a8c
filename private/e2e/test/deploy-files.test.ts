/** scripts/deploy: every file is read by a parser, says what the reference documents, and has settings that the program takes. */

import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

import { parseDockerfile, textsOf } from './support/deploy/dockerfile.ts';
import { readEnvironment } from './support/deploy/loopback-machines.ts';
import { runProgram } from './support/processes.ts';
import { type Folder, KAYADB_SERVER, openFolder, ROOT } from './support/repository.ts';
import { shellBlocks } from './support/shell-blocks.ts';

const TIMEOUT_MS = 240_000;
const FOLDER = join(ROOT, 'scripts/deploy');
const NODES = [1, 2, 3] as const;
const PORTS = { clients: 7379, nodes: 7481, reports: 9090 } as const;
const KUBECTL = '/usr/bin/kubectl';
const kubectlIsAbsent = !existsSync(KUBECTL);

type Document = Readonly<Record<string, unknown>>;

function read(path: string): string {
  return readFileSync(join(FOLDER, path), 'utf8');
}

/** By a path of names and places, such as `spec.ports.0`. */
function at(document: unknown, path: string): unknown {
  return path.split('.').reduce((found: unknown, name) => (found as Document | undefined)?.[name], document);
}

/** Whether the server takes these settings, all but where its data are: nothing is opened, because that is a file. What else is wrong is said before. */
async function takesSettings(folder: Folder, env: Readonly<Record<string, string>>, toml?: string): Promise<string> {
  writeFileSync(folder.at('no-folder'), '');
  writeFileSync(folder.at('token'), 'a token of some length\n', { mode: 0o600 });
  const withFiles = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, name.endsWith('_TOKEN_FILE') ? folder.at('token') : value]),
  );
  const config: Record<string, string> = {};
  if (toml !== undefined) {
    writeFileSync(folder.at('kayadb.toml'), toml.replaceAll(/"[^"]*-token"/g, JSON.stringify(folder.at('token'))));
    config['KAYA_CONFIG'] = folder.at('kayadb.toml');
  }
  // Root is refused where others can reach the node; in these deployments nobody is root.
  const argv = [KAYADB_SERVER, '--data', folder.at('no-folder'), '--allow-root'];
  const { stderr } = await runProgram(process.execPath, argv, { env: { ...withFiles, ...config } });
  return stderr.split('\n')[0]!.replace(folder.at('no-folder'), 'DATA');
}

const TAKEN = 'ERROR: --data DATA is not a folder';

/** Variables of docs/reference/server.md. */
function documentedVariables(): ReadonlySet<string> {
  const page = readFileSync(join(ROOT, 'docs/reference/server.md'), 'utf8');
  return new Set(
    Array.from(page.matchAll(/^\| `--[^|]+\| `(?<name>KAYA_\w+)` \|/gm), ({ groups }) => groups!['name']!),
  );
}

describe('the reference', () => {
  test('has the ports that all of these files have', () => {
    const page = readFileSync(join(ROOT, 'docs/reference/server.md'), 'utf8');

    for (const [flag, port] of [
      ['client-addr', PORTS.clients],
      ['raft-addr', PORTS.nodes],
      ['metrics-addr', PORTS.reports],
    ] as const) {
      expect(page).toMatch(new RegExp(String.raw`^\| .--${flag} [^|]*\| [^|]*\| .127\.0\.0\.1:${port}. \|`, 'm'));
    }
  });
});

describe('a setting that is wrong', { timeout: TIMEOUT_MS }, () => {
  test('is found by the way in which these tests look for it', async () => {
    using folder = openFolder();

    const said = await Promise.all([
      takesSettings(folder, { KAYA_CLIENT_ADDR: '10.0.0.1:7379' }),
      takesSettings(folder, { KAYA_TLS_CERT: '/node.crt' }),
    ]);

    expect(said).toEqual([
      expect.stringContaining('neither a client token nor TLS'),
      expect.stringContaining('KAYA_TLS_CERT is given'),
    ]);
  });
});

describe('systemd/', { timeout: TIMEOUT_MS }, () => {
  test('has settings for each machine that the program takes', async () => {
    using folder = openFolder();
    const env = readEnvironment(read('systemd/node.env'));

    const said = await takesSettings(folder, env, read('systemd/kayadb.toml'));

    expect(said).toBe(TAKEN);
    expect(Object.keys(env).filter((name) => !documentedVariables().has(name))).toEqual([]);
  });

  test('is what docs/operating/cluster.md shows', () => {
    const page = readFileSync(join(ROOT, 'docs/operating/cluster.md'), 'utf8');
    const withoutHead = (text: string): string => text.replace(/^#.*\n/u, '');

    expect(page).toContain(withoutHead(read('systemd/kayadb.toml')));
    expect(page).toContain(withoutHead(read('systemd/node.env')));
  });
});

describe('docker/', () => {
  test('exposes the documented ports and sets documented variables', () => {
    const [, image = []] = parseDockerfile(read('docker/Dockerfile'));
    const variables = textsOf(image, 'ENV').flatMap((text) => text.split(/\s+/).map((each) => each.split('=')[0]!));

    expect(textsOf(image, 'EXPOSE')).toEqual([Object.values(PORTS).join(' ')]);
    expect(variables.filter((name) => name !== 'NODE_ENV' && !documentedVariables().has(name))).toEqual([]);
    expect(variables).toContain('KAYA_DATA');
  });
});

describe('compose/compose.yaml', { timeout: TIMEOUT_MS }, () => {
  const compose = parse(read('compose/compose.yaml'), { merge: true }) as Document;
  const service = (node: number): Document => at(compose, `services.node-${node}`) as Document;
  const environment = (node: number): Readonly<Record<string, string>> =>
    service(node)['environment'] as Readonly<Record<string, string>>;

  test('has settings that the program takes', async () => {
    using folder = openFolder();

    const said = await takesSettings(folder, environment(1));

    expect(said).toBe(TAKEN);
    expect(Object.keys(environment(1)).filter((name) => !documentedVariables().has(name))).toEqual([]);
  });

  test('differs between its nodes in their number, port, volume and certificate alone', () => {
    const renumbered = NODES.map((node) => {
      const text = JSON.stringify({ ...service(node), environment: { ...environment(node), KAYA_PEER: '' } });
      return text
        .replaceAll(`node-${node}`, 'node-N')
        .replace(`"KAYA_NODE_ID":"${node}"`, '')
        .replace(`127.0.0.1:${7378 + node}:7379`, '');
    });

    expect(new Set(renumbered).size).toBe(1);
  });

  test('gives a node nothing that it does not need, and a name that stays', () => {
    for (const node of NODES) {
      expect(service(node)).toMatchObject({
        hostname: `node-${node}`,
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        volumes: [`node-${node}:/var/lib/kayadb`],
        restart: 'unless-stopped',
      });
      const keys = (service(node)['secrets'] as readonly unknown[]).filter((each) =>
        JSON.stringify(each).includes('.key'),
      );
      expect(keys).toEqual([{ source: `node-${node}.key`, target: 'node.key' }]);
    }
  });

  test('defines what its services use, with certificates that setup-certs.sh makes of its list', () => {
    const secrets = at(compose, 'secrets') as Readonly<Record<string, { readonly file: string }>>;
    const used = NODES.flatMap((node) =>
      (service(node)['secrets'] as readonly (string | { readonly source: string })[]).map((each) =>
        typeof each === 'string' ? each : each.source,
      ),
    );
    const listed = [...read('compose/nodes').matchAll(/^(?<id>\d) (?<host>\S+) /gm)];

    expect(Object.keys(secrets).toSorted()).toEqual([...new Set(used)].toSorted());
    expect(Object.keys(at(compose, 'volumes') as object)).toEqual(NODES.map((node) => `node-${node}`));
    expect(listed.map(({ groups }) => [groups!['id'], groups!['host']])).toEqual(
      NODES.map((node) => [String(node), `node-${node}`]),
    );
    for (const { file } of Object.values(secrets)) {
      expect(file).toMatch(/^(?:certs\/(?:ca\.crt|node-\d\.(?:crt|key))|tokens\/(?:client|operator)-token)$/);
    }
  });
});

describe('kubernetes/', { timeout: TIMEOUT_MS }, () => {
  const kustomization = parse(read('kubernetes/kustomization.yaml')) as Document;
  const resources = (kustomization['resources'] as readonly string[]).flatMap((name) =>
    parseAllDocuments(read(`kubernetes/${name}`)).map((document): Document => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Document;
    }),
  );
  const resource = (kind: string, name = 'kayadb'): Document => {
    const found = resources.find((each) => each['kind'] === kind && at(each, 'metadata.name') === name);
    if (found === undefined) throw new Error(`no ${kind} ${name}`);
    return found;
  };
  const set = resource('StatefulSet');
  const pod = at(set, 'spec.template.spec') as Document;
  const container = at(pod, 'containers.0') as Document;
  const containerPorts = Object.fromEntries(
    (container['ports'] as readonly { readonly name: string; readonly containerPort: number }[]).map((each) => [
      each.name,
      each.containerPort,
    ]),
  );

  /** Variables as the kubelet gives them to pod `number`. */
  function environmentOf(number: number): Readonly<Record<string, string>> {
    const given: Record<string, string> = {};
    const fields: Readonly<Record<string, string>> = {
      "metadata.labels['apps.kubernetes.io/pod-index']": String(number),
      'status.podIP': '10.42.0.7',
    };
    for (const each of container['env'] as readonly { readonly name: string; readonly value?: string }[]) {
      const value = each.value ?? fields[at(each, 'valueFrom.fieldRef.fieldPath') as string] ?? '';
      // A name is replaced only behind the one that it refers to.
      given[each.name] = value.replaceAll(/\$\((\w+)\)/g, (all, name: string) => given[name] ?? all);
    }
    return given;
  }

  test('has settings that the program takes', async () => {
    using folder = openFolder();
    const { POD_IP: address, ...env } = environmentOf(2);

    const said = await takesSettings(folder, env);

    expect(said).toBe(TAKEN);
    expect(env).toMatchObject({ KAYA_NODE_ID: '2', KAYA_CLIENT_ADDR: `${address}:7379` });
    expect(Object.keys(env).filter((name) => !documentedVariables().has(name))).toEqual([]);
  });

  test('begins to count pods where nodes are counted, and starts them together', () => {
    expect(at(set, 'spec.ordinals.start')).toBe(1);
    expect(at(set, 'spec.replicas')).toBe(NODES.length);
    expect(at(set, 'spec.podManagementPolicy')).toBe('Parallel');
    expect(at(set, 'spec.serviceName')).toBe('kayadb-nodes');
    expect(environmentOf(2)['KAYA_PEER']!.split(' ')).toEqual(
      NODES.map(
        (node) =>
          `${node}=${['7481', '7379'].map((port) => `kayadb-${node}.kayadb-nodes.kayadb.svc:${port}`).join(',')}`,
      ),
    );
  });

  test('has services with the documented ports, of which that for nodes knows them before they are ready', () => {
    const names = resource('Service', 'kayadb-nodes');

    expect(containerPorts).toEqual(PORTS);
    expect(at(names, 'spec')).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    for (const service of [names, resource('Service')]) {
      for (const port of at(service, 'spec.ports') as readonly Document[]) {
        expect(port['port']).toBe(PORTS[port['targetPort'] as keyof typeof PORTS]);
      }
      expect(at(service, 'spec.selector')).toEqual(at(set, 'spec.selector.matchLabels'));
    }
  });

  test('probes what docs/operating/monitoring.md says, over TLS', () => {
    const page = readFileSync(join(ROOT, 'docs/operating/monitoring.md'), 'utf8');
    const [, text = ''] = /```yaml\n(livenessProbe:[^`]*)```/.exec(page) ?? [];
    const documented = parse(text) as Readonly<Record<string, Document>>;

    for (const [name, { httpGet, ...times }] of Object.entries(documented)) {
      expect(container[name]).toMatchObject(times);
      expect(at(container, `${name}.httpGet`)).toEqual({ ...(httpGet as object), port: 'reports', scheme: 'HTTPS' });
    }
    expect(Object.keys(documented)).toEqual(['livenessProbe', 'readinessProbe']);
  });

  test('lets one node be away at a time, and puts no two on one machine', () => {
    expect(at(resource('PodDisruptionBudget'), 'spec')).toEqual({
      maxUnavailable: 1,
      selector: at(set, 'spec.selector'),
    });
    expect(at(pod, 'affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.0')).toEqual({
      topologyKey: 'kubernetes.io/hostname',
      labelSelector: at(set, 'spec.selector'),
    });
  });

  test('lets nodes alone reach the port for nodes', () => {
    const policy = resource('NetworkPolicy');
    const rules = at(policy, 'spec.ingress') as readonly {
      readonly from: unknown;
      readonly ports: readonly Document[];
    }[];
    const whoReaches = (port: string): readonly unknown[] =>
      rules.filter(({ ports }) => ports.some((each) => each['port'] === port)).map(({ from }) => from);

    expect(at(policy, 'spec.policyTypes')).toEqual(['Ingress', 'Egress']);
    expect(whoReaches('nodes')).toEqual([[{ podSelector: at(set, 'spec.selector') }]]);
    expect(whoReaches('reports')).toHaveLength(1);
    expect(whoReaches('clients')).toHaveLength(2);
  });

  test('runs it as the user of the image, who may do nothing else, for longer than it takes to drain', () => {
    const [, image = []] = parseDockerfile(read('docker/Dockerfile'));
    const [user] = textsOf(image, 'USER')[0]!.split(':').map(Number);

    expect(pod['securityContext']).toMatchObject({
      runAsNonRoot: true,
      runAsUser: user,
      fsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(at(resource('Namespace'), 'metadata.labels')).toEqual({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(pod['terminationGracePeriodSeconds']).toBeGreaterThan(10);
    expect(at(set, 'spec.volumeClaimTemplates.0.spec.accessModes')).toEqual(['ReadWriteOncePod']);
  });

  test('mounts secrets that it makes, at the names that the settings have', () => {
    const generated = kustomization['secretGenerator'] as readonly {
      readonly name: string;
      readonly files: readonly string[];
    }[];
    const mounts = container['volumeMounts'] as readonly Document[];
    const pathsOf = (volume: string, secret: string): readonly string[] => {
      const mounted = mounts.find(({ name }) => name === volume)!;
      const { files } = generated.find(({ name }) => name === secret)!;
      return files.map((file) => `${String(mounted['mountPath'])}/${file.replace('secrets/', '')}`);
    };
    const there = [...pathsOf('tls', 'kayadb-tls'), ...pathsOf('tokens', 'kayadb-tokens')];

    for (const node of NODES) {
      const wanted = Object.entries(environmentOf(node)).filter(([name]) => /_(?:CA|CERT|KEY|FILE)$/.test(name));
      expect(wanted.map(([, path]) => path).filter((path) => !there.includes(path))).toEqual([]);
      expect(wanted).toHaveLength(5);
    }
  });

  test.skipIf(kubectlIsAbsent)('has no field that kubectl does not know (where kubectl is installed)', async () => {
    const file = join(FOLDER, 'kubernetes/stateful-set.yaml');

    const { exitCode, stdout } = await runProgram(KUBECTL, ['set', 'env', '--local', '-f', file, 'A=B', '-o', 'yaml']);
    const known = parse(stdout) as Document;

    expect(exitCode).toBe(0);
    expect(known).toMatchObject({ spec: { ...(set['spec'] as Document), template: expect.anything() } });
    const { containers, ...rest } = at(known, 'spec.template.spec') as Document;
    expect({ ...rest, containers: pod['containers'] }).toMatchObject(pod);
    expect(at(containers, '0')).toMatchObject({ ...container, env: expect.anything() });
  });
});

describe('the commands of docs/operating/deployment.md', { timeout: TIMEOUT_MS }, () => {
  test.each(['compose', 'kubernetes'])('make what the files of %s name', async (name) => {
    using folder = openFolder();
    cpSync(join(ROOT, 'scripts'), folder.at('scripts'), { recursive: true });
    const blocks = shellBlocks(readFileSync(join(ROOT, 'docs/operating/deployment.md'), 'utf8'));
    const { script } = blocks.find((block) => block.script.includes(`cd scripts/deploy/${name}\n`))!;

    const { exitCode, stderr } = await runProgram('bash', ['-c', `set -e\n${script}`], { cwd: folder.path });

    const missing = namedFiles(name).filter((file) => !existsSync(folder.at('scripts/deploy', name, file)));
    expect({ exitCode, stderr, missing }).toEqual({ exitCode: 0, stderr: '', missing: [] });
    if (name !== 'kubernetes' || kubectlIsAbsent) return;
    const built = await runProgram(KUBECTL, ['kustomize', folder.at('scripts/deploy/kubernetes')]);
    const kinds = parseAllDocuments(built.stdout).map((each) => (each.toJS() as Document)['kind']);
    expect(kinds.filter((kind) => kind === 'Secret')).toHaveLength(2);
    expect(kinds).toHaveLength(8);
  });
});

/** Files that are made and not kept: certificates, keys and tokens. */
function namedFiles(name: string): readonly string[] {
  if (name === 'compose') {
    const secrets = at(parse(read('compose/compose.yaml')), 'secrets') as Readonly<Record<string, { file: string }>>;
    return Object.values(secrets).map(({ file }) => file);
  }
  const generators = at(parse(read('kubernetes/kustomization.yaml')), 'secretGenerator');
  return (generators as readonly { readonly files: readonly string[] }[]).flatMap(({ files }) => files);
}
