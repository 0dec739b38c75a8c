import { describe, expect, test } from 'vitest';

import { type Config, loadConfig } from '../src/config.ts';
import { parseFlags } from '../src/flags.ts';
import { environmentName, SETTING_NAMES, type SettingName } from '../src/settings.ts';
import { UNAVAILABLE } from '../src/unavailable.ts';
import type { UsageError } from '../src/usage-error.ts';
import { createTestWorld } from './support/test-world.ts';

interface Given {
  readonly argv?: readonly string[];
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
}

async function load({ argv = [], env = {}, files = {} }: Given): Promise<Config> {
  const world = createTestWorld();
  for (const [path, text] of Object.entries(files)) await world.writeFile(path, text);
  const invocation = parseFlags(argv, env);
  if (invocation.kind !== 'run') throw new Error('it printed instead');
  return loadConfig(invocation, env, world.fileSystem);
}

async function refusal(given: Given): Promise<UsageError> {
  const [outcome] = await Promise.allSettled([load(given)]);
  if (outcome.status === 'fulfilled') throw new Error('it was accepted');
  return outcome.reason as UsageError;
}

const TOKEN = 'a-token-of-more-than-16';

describe('defaults', () => {
  test('are those of the original', async () => {
    const config = await load({});

    expect(config).toEqual({
      nodeId: 1,
      clientAddress: { host: '127.0.0.1', port: 7379 },
      peerAddress: { host: '127.0.0.1', port: 7481 },
      reportsAddress: { host: '127.0.0.1', port: 9090 },
      advertisedClientAddress: undefined,
      advertisedPeerAddress: undefined,
      dataDirectory: './data',
      peers: [],
      isJoining: false,
      tls: undefined,
      timing: { heartbeatMs: 100, electionMs: 500 },
      keepsLeases: false,
      allowPublicBind: false,
      insecure: false,
      allowRoot: false,
      clientToken: undefined,
      operatorToken: undefined,
      maxClientConnections: 1024,
      drainTimeoutMs: 10_000,
      diskLowBytes: 'auto',
      diskReserveBytes: 'auto',
      scrubIntervalMs: 604_800_000,
      scrubBytesPerSecond: 16_777_216,
      logLevel: 'info',
      warnings: [],
      notes: [],
    });
  });
});

describe('precedence', () => {
  const file = { '/k.toml': 'node-id = 2\ndata = "/file"\nheartbeat-ms = 50\nlog-level = "error"\n' };

  test('is flags, then environment, then file, then defaults', async () => {
    const config = await load({
      argv: ['--config', '/k.toml', '--node-id', '4'],
      env: { KAYA_NODE_ID: '3', KAYA_DATA: '/env' },
      files: file,
    });

    expect(config).toMatchObject({
      nodeId: 4,
      dataDirectory: '/env',
      timing: { heartbeatMs: 50, electionMs: 500 },
      logLevel: 'error',
      drainTimeoutMs: 10_000,
    });
  });

  test('takes a blank variable for none, and the config file from the environment', async () => {
    const config = await load({ env: { KAYA_NODE_ID: ' ', KAYA_DATA: '', KAYA_CONFIG: '/k.toml' }, files: file });

    expect(config).toMatchObject({ nodeId: 2, dataDirectory: '/file' });
  });

  test('holds for tokens and their files together', async () => {
    const files = { '/t': `${TOKEN}-file\n`, '/k.yaml': `client-token: ${TOKEN}-config\noperator-token-file: /t\n` };

    const flag = await load({ argv: ['--client-token-file', '/t'], env: { KAYA_CLIENT_TOKEN: `${TOKEN}-env` }, files });
    const environment = await load({ env: { KAYA_CLIENT_TOKEN: `${TOKEN}-env`, KAYA_CONFIG: '/k.yaml' }, files });
    const config = await load({ env: { KAYA_CONFIG: '/k.yaml' }, files });

    expect(flag.clientToken).toBe(`${TOKEN}-file`);
    expect(environment.clientToken).toBe(`${TOKEN}-env`);
    expect(config).toMatchObject({ clientToken: `${TOKEN}-config`, operatorToken: `${TOKEN}-file` });
  });
});

describe('every setting', () => {
  const tls = ['--tls-cert', '/c', '--tls-key', '/k', '--tls-ca', '/a'];
  const peers = ['--peer', '2=a:1'];
  const files = { certificate: '/c', key: '/k', ca: '/a' };
  const secure = { files, minClientVersion: 'TLSv1.3', requiresClientCertificate: false };
  const two = { node: 2, address: { host: 'a', port: 1 }, clientAddress: 'a:1' };
  const three = { node: 3, address: { host: 'b', port: 1 }, clientAddress: 'b:2' };
  /** As text, as a value in a file, where it ends up, as what, and the flags without which it would be refused. */
  const values: Record<SettingName, readonly [string, unknown, keyof Config, unknown, (readonly string[])?]> = {
    'node-id': ['7', 7, 'nodeId', 7],
    'client-addr': ['[::1]:0', '[::1]:0', 'clientAddress', { host: '::1', port: 0 }],
    'raft-addr': ['10.0.0.1:1', '10.0.0.1:1', 'peerAddress', { host: '10.0.0.1', port: 1 }],
    'metrics-addr': ['10.0.0.1:0', '10.0.0.1:0', 'reportsAddress', { host: '10.0.0.1', port: 0 }],
    'no-metrics': ['1', true, 'reportsAddress', undefined],
    'advertise-client-addr': ['db1.example:1', 'db1.example:1', 'advertisedClientAddress', 'db1.example:1'],
    'advertise-raft-addr': ['[::1]:1', '[::1]:1', 'advertisedPeerAddress', '[::1]:1'],
    data: ['/d', '/d', 'dataDirectory', '/d'],
    peer: ['3=b:1,b:2 2=a:1', ['3=b:1,b:2', '2=a:1'], 'peers', [two, three]],
    'join-cluster': ['true', true, 'isJoining', true, peers],
    'peer-identity': ['2=x', ['2=x'], 'peers', [{ ...two, identity: { kind: 'name', name: 'x' } }], [...tls, ...peers]],
    'tls-cert': ['/c', '/c', 'tls', secure, ['--tls-key', '/k', '--tls-ca', '/a']],
    'tls-key': ['/k', '/k', 'tls', secure, ['--tls-cert', '/c', '--tls-ca', '/a']],
    'tls-ca': ['/a', '/a', 'tls', secure, ['--tls-cert', '/c', '--tls-key', '/k']],
    'tls-min-client-version': ['1.2', 1.2, 'tls', { ...secure, minClientVersion: 'TLSv1.2' }, tls],
    'tls-require-client-cert': ['yes', true, 'tls', { ...secure, requiresClientCertificate: true }, tls],
    'heartbeat-ms': ['20', 20, 'timing', { heartbeatMs: 20, electionMs: 500 }],
    'election-ms': ['700', 700, 'timing', { heartbeatMs: 100, electionMs: 700 }],
    'read-leases': ['1', true, 'keepsLeases', true],
    durability: ['strict', 'strict', 'warnings', []],
    'allow-public-bind': ['true', true, 'allowPublicBind', true],
    insecure: ['1', true, 'insecure', true],
    'allow-root': ['yes', true, 'allowRoot', true],
    'client-token': [TOKEN, TOKEN, 'clientToken', TOKEN],
    'client-token-file': ['/t', '/t', 'clientToken', TOKEN],
    'operator-token': [TOKEN, TOKEN, 'operatorToken', TOKEN],
    'operator-token-file': ['/t', '/t', 'operatorToken', TOKEN],
    'max-client-connections': ['9', 9, 'maxClientConnections', 9],
    'drain-timeout-ms': ['20', 20, 'drainTimeoutMs', 20],
    'disk-low-bytes': ['4096', 4096, 'diskLowBytes', 4096],
    'disk-reserve-bytes': ['auto', 'auto', 'diskReserveBytes', 'auto'],
    'scrub-interval-hours': ['2', 2, 'scrubIntervalMs', 7_200_000],
    'scrub-bytes-per-second': ['0', 0, 'scrubBytesPerSecond', 0],
    'log-level': ['debug', 'debug', 'logLevel', 'debug'],
  };

  /** A list is one flag for each of its members. */
  function flagsOf(name: string, text: string, value: unknown): readonly string[] {
    if (typeof value === 'boolean') return [`--${name}`];
    return Array.isArray(value) ? value.flatMap((each) => [`--${name}`, String(each)]) : [`--${name}`, text];
  }

  test.each(SETTING_NAMES)('%s is read from flag, environment, TOML and YAML', async (name) => {
    const [text, value, field, expected, others = []] = values[name];
    const given = {
      '/t': TOKEN,
      '/k.toml': `${name} = ${JSON.stringify(value)}`,
      '/k.yml': `${name}: ${JSON.stringify(value)}`,
    };

    const found = [
      await load({ argv: [...flagsOf(name, text, value), ...others], files: given }),
      await load({ argv: others, env: { [environmentName(name)]: text }, files: given }),
      await load({ argv: ['--config', '/k.toml', ...others], files: given }),
      await load({ argv: ['--config', '/k.yml', ...others], files: given }),
    ];

    expect(found.map((config) => config[field])).toEqual([expected, expected, expected, expected]);
  });
});

describe('a bad value', () => {
  test.each([
    ['node-id', '0', 'expected a whole number from 1 to 9007199254740989, got "0"'],
    ['node-id', '1.5', 'expected a whole number'],
    ['node-id', 'one', 'expected a whole number'],
    ['client-addr', 'localhost:7379', 'expected a numeric address with a port'],
    ['client-addr', '127.0.0.1', 'expected a numeric address with a port'],
    ['client-addr', '127.0.0.1:65536', 'expected a numeric address with a port'],
    ['client-addr', '::1:7379', 'expected a numeric address with a port'],
    ['raft-addr', '127.0.0.1:x', 'expected a numeric address with a port'],
    ['node-id', '9007199254740990', 'expected a whole number'],
    ['metrics-addr', 'localhost:9090', 'expected a numeric address with a port'],
    ['advertise-client-addr', '0.0.0.0:1', 'expected an address or name with a port'],
    ['advertise-raft-addr', 'db1.example', 'expected an address or name with a port'],
    ['tls-min-client-version', '1.1', 'expected 1.2 or 1.3, got "1.1"'],
    ['heartbeat-ms', '9', 'from 10 to 10000'],
    ['election-ms', '49', 'from 50 to 100000'],
    ['durability', 'fast', 'expected strict, got "fast"'],
    ['max-client-connections', '0', 'from 1 to 1000000'],
    ['drain-timeout-ms', '-1', 'from 1 to 600000'],
    ['log-level', 'loud', 'expected one of silent, fatal'],
  ])('%s %s is refused by the name under which it was given', async (name, value, message) => {
    const files = { '/k.toml': `${name} = ${JSON.stringify(value)}` };

    const flag = await refusal({ argv: [`--${name}=${value}`] });
    const environment = await refusal({ env: { [environmentName(name)]: value } });
    const file = await refusal({ argv: ['--config', '/k.toml'], files });

    expect(flag.message).toContain(`--${name}: `);
    expect(flag.message).toContain(message);
    expect(environment.message).toMatch(new RegExp(`^${environmentName(name)}: `, 'u'));
    expect(file.message).toMatch(new RegExp(`^${name} in /k.toml: `, 'u'));
  });

  test('of a switch is refused', async () => {
    const found = await refusal({ env: { KAYA_INSECURE: 'perhaps' } });

    expect(found.message).toBe('KAYA_INSECURE: expected true or false, got "perhaps"');
  });

  test('of a token is not repeated', async () => {
    const found = await refusal({ argv: ['--config', '/k.toml'], files: { '/k.toml': 'client-token = 12345' } });

    expect(found.message).toBe('client-token in /k.toml: expected a token');
  });
});

describe('settings that need each other', () => {
  const tls = ['--tls-cert', '/c', '--tls-key', '/k', '--tls-ca', '/a'];

  test.each([
    [['--join-cluster'], '--join-cluster needs at least one other node to ask'],
    [['--join-cluster', '--peer', '1=a:1'], '--join-cluster needs at least one other node to ask'],
    [['--tls-cert', '/c'], '--tls-cert is given, and --tls-key and --tls-ca not'],
    [['--tls-cert', '/c', '--tls-key', '/k'], '--tls-cert is given, and --tls-ca not'],
    [['--tls-ca', '/a'], '--tls-ca is given, and --tls-cert and --tls-key not'],
    [['--tls-require-client-cert'], '--tls-require-client-cert is given, and TLS is not'],
    [['--tls-min-client-version', '1.3'], '--tls-min-client-version is given, and TLS is not'],
    [['--peer', '2=a:1', '--peer-identity', '2=a'], '--peer-identity is given, and TLS is not'],
    [
      ['--heartbeat-ms', '200'],
      '--election-ms 500 is less than 5 heartbeats of 200 ms, so that a short pause of the leader would cost it its place',
    ],
    [
      ['--client-addr', '0.0.0.0:7379'],
      '--client-addr 0.0.0.0:7379 is every address of this machine, and clients have to be told one',
    ],
    [
      ['--raft-addr', '[::]:7481'],
      '--raft-addr [::]:7481 is every address of this machine, and other nodes have to be told one',
    ],
    [
      ['--durability', 'relaxed'],
      '--durability relaxed is not available: a node acknowledges a write when it is on the disks of a majority of its group, and nothing less',
    ],
  ])('are refused without each other: %j', async (argv, message) => {
    const found = await refusal({ argv });

    expect(found).toMatchObject({ code: 'KAYA_USAGE', message });
    expect(found.hint).not.toBe('');
  });

  test('are named as they were given', async () => {
    const found = await refusal({ env: { KAYA_TLS_CERT: '/c' } });

    expect(found.message).toMatch(/^KAYA_TLS_CERT is given/u);
  });

  test('may come from different places', async () => {
    const config = await load({
      argv: ['--tls-cert', '/flag'],
      env: { KAYA_TLS_KEY: '/env', KAYA_CONFIG: '/k.toml' },
      files: { '/k.toml': 'tls-ca = "/file"' },
    });

    expect(config.tls?.files).toEqual({ certificate: '/flag', key: '/env', ca: '/file' });
  });

  test('take a wildcard with what is told in its place, TLS switches that are off, and a list that names this node', async () => {
    const env = { KAYA_TLS_REQUIRE_CLIENT_CERT: 'false' };
    const wildcard = ['--client-addr', '0.0.0.0:1', '--advertise-client-addr', 'db1.example:1'];

    const config = await load({ argv: [...wildcard, '--peer', '1=a:1', '--peer', '2=localhost:1'], env });

    expect(config).toMatchObject({ advertisedClientAddress: 'db1.example:1', tls: undefined, warnings: [] });
    expect(config.peers.map(({ node }) => node)).toEqual([2]);
    expect(config.notes).toEqual(['--peer names node 1, which is this one']);
  });

  test('warn when nodes elsewhere, or their clients, are told to come to loopback', async () => {
    const argv = ['--peer', '2=10.0.0.2:7481'];

    const both = await load({ argv });
    const none = await load({
      argv: [...argv, ...tls, '--advertise-client-addr', 'a:1', '--raft-addr', '10.0.0.1:7481'],
    });

    expect(both.warnings).toEqual([
      'other machines have nodes of this group, and clients there are told 127.0.0.1:7379 (--client-addr), which is themselves; pass --advertise-client-addr',
      'other machines have nodes of this group, and other nodes there are told 127.0.0.1:7481 (--raft-addr), which is themselves; pass --advertise-raft-addr',
    ]);
    expect(none.warnings).toEqual([]);
  });
});

describe('the command line', () => {
  test.each([
    [['--clint-addr', 'x'], 'unknown flag --clint-addr; did you mean --client-addr?'],
    [['--completely-different'], 'unknown flag --completely-different'],
    [['--data'], '--data needs a value'],
    [['serve'], 'the server takes flags only, each of which begins with two dashes'],
    [['-x'], 'unknown flag -x'],
  ])('%j is refused with one sentence', async (argv, message) => {
    const found = await refusal({ argv });

    expect(found).toMatchObject({ code: 'KAYA_USAGE', message, hint: 'kayadb-server --help lists all flags' });
  });

  test('passes over a separator, and flags that switch off what is not there', async () => {
    const config = await load({ argv: ['--', '--no-audit-log', '--node-id', '3'] });

    expect(config.nodeId).toBe(3);
  });

  test.each(Object.keys(UNAVAILABLE))('refuses --%s, which this build cannot honour', async (name) => {
    const found = await refusal({ argv: [`--${name}`, 'x'] });
    const joined = await refusal({ argv: [`--${name}=x`] });

    expect(found.message).toMatch(new RegExp(`^--${name} is not available: `, 'u'));
    expect(joined.message).toBe(found.message);
  });

  test.each(Object.values(UNAVAILABLE).flatMap(({ environment }) => environment ?? []))(
    'refuses %s in the environment, and takes a blank one for none',
    async (variable) => {
      const found = await refusal({ env: { [variable]: '/etc/file' } });
      const blank = await load({ env: { [variable]: '' } });

      expect(found.message).toMatch(new RegExp(`^${variable} is not available: `, 'u'));
      expect(blank.nodeId).toBe(1);
    },
  );
});

describe('a config file', () => {
  test.each([
    ['/k.toml', 'clientaddr = "x"', '/k.toml has an unknown setting "clientaddr"; did you mean client-addr?'],
    ['/k.yaml', 'otel: true', 'otel in /k.yaml is not available: this build sends no traces'],
    ['/k.yaml', 'peer: [[2]]', 'peer in /k.yaml: expected nodes such as 2=10.0.0.2:7481,10.0.0.2:7379'],
    ['/k.yaml', 'peer: 2', 'peer in /k.yaml: expected nodes such as 2=10.0.0.2:7481,10.0.0.2:7379, got 2'],
    ['/k.toml', '# one\nnode-id = ', /^the config file \/k.toml cannot be parsed: .+ at line 2, column \d+$/],
    ['/k.yaml', '# one\na: [', /^the config file \/k.yaml cannot be parsed: .+ at line 2, column \d+$/],
    ['/k.yaml', 'data: &a [*a]', 'data in /k.yaml: expected a folder, got a list or a table'],
    ['/k.yaml', '- a\n- b', 'the config file /k.yaml does not hold settings'],
    ['/k.json', '{}', 'the config file /k.json is neither .toml nor .yaml'],
    ['/missing.toml', undefined, 'the config file cannot be read: '],
  ])('%s with %j is refused', async (path, text, message) => {
    const found = await refusal({ argv: ['--config', path], files: text === undefined ? {} : { [path]: text } });

    expect(found.code).toBe('KAYA_USAGE');
    expect(found.message).toMatch(message);
  });

  test('may be empty', async () => {
    const config = await load({ argv: ['--config', '/k.yaml'], files: { '/k.yaml': '# nothing yet\n' } });

    expect(config.nodeId).toBe(1);
  });
});

describe('tokens', () => {
  test('from a file lose the space around them', async () => {
    const config = await load({ argv: ['--client-token-file', '/t'], files: { '/t': `  ${TOKEN}\r\n` } });

    expect(config.clientToken).toBe(TOKEN);
    expect(config.warnings).toEqual([]);
  });

  test('from the command line are warned about, without repeating them', async () => {
    const config = await load({ argv: ['--client-token', TOKEN] });

    expect(config.warnings).toEqual([expect.stringContaining('--client-token was given on the command line')]);
    expect(config.warnings.join()).not.toContain(TOKEN);
  });

  test('that are short are warned about', async () => {
    const config = await load({ env: { KAYA_OPERATOR_TOKEN: 'short' } });

    expect(config.warnings).toEqual([expect.stringContaining('KAYA_OPERATOR_TOKEN holds a token of 5 characters')]);
  });

  test.each([
    [{ argv: ['--client-token-file', '/missing'] }, '--client-token-file: open of /missing failed'],
    [{ argv: ['--client-token-file', '/t'], files: { '/t': ' \n' } }, '--client-token-file /t holds no token'],
    [
      { argv: ['--client-token', TOKEN, '--client-token-file', '/t'] },
      '--client-token and --client-token-file exclude',
    ],
    [{ env: { KAYA_CLIENT_TOKEN: 'x'.repeat(65_536) } }, 'KAYA_CLIENT_TOKEN holds more than 65535 bytes'],
  ])('that cannot be used are refused: %j', async (given, message) => {
    const found = await refusal(given);

    expect(found.message).toContain(message);
  });
});
