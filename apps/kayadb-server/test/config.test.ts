import { describe, expect, test } from 'vitest';

import { type Config, loadConfig } from '../src/config.ts';
import { parseFlags } from '../src/flags.ts';
import { environmentName, SETTING_NAMES } from '../src/settings.ts';
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
      raftAddress: { host: '127.0.0.1', port: 7481 },
      dataDirectory: './data',
      durability: 'strict',
      intervalMs: 100,
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
    });
  });
});

describe('precedence', () => {
  const file = { '/k.toml': 'node-id = 2\ndata = "/file"\ndurability = "relaxed"\nlog-level = "error"\n' };

  test('is flags, then environment, then file, then defaults', async () => {
    const config = await load({
      argv: ['--config', '/k.toml', '--node-id', '4'],
      env: { KAYA_NODE_ID: '3', KAYA_DATA: '/env' },
      files: file,
    });

    expect(config).toMatchObject({
      nodeId: 4,
      dataDirectory: '/env',
      durability: 'relaxed',
      logLevel: 'error',
      intervalMs: 100,
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
  const values: Record<string, readonly [string, unknown, keyof Config, unknown]> = {
    'node-id': ['7', 7, 'nodeId', 7],
    'client-addr': ['[::1]:0', '[::1]:0', 'clientAddress', { host: '::1', port: 0 }],
    'raft-addr': ['10.0.0.1:1', '10.0.0.1:1', 'raftAddress', { host: '10.0.0.1', port: 1 }],
    data: ['/d', '/d', 'dataDirectory', '/d'],
    durability: ['interval', 'interval', 'durability', 'interval'],
    'interval-ms': ['5', 5, 'intervalMs', 5],
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

  test.each(SETTING_NAMES)('%s is read from flag, environment, TOML and YAML', async (name) => {
    const [text, value, field, expected] = values[name]!;
    const files = {
      '/t': TOKEN,
      '/k.toml': `${name} = ${JSON.stringify(value)}`,
      '/k.yml': `${name}: ${JSON.stringify(value)}`,
    };

    const found = [
      await load({ argv: typeof value === 'boolean' ? [`--${name}`] : [`--${name}`, text], files }),
      await load({ env: { [environmentName(name)]: text }, files }),
      await load({ argv: ['--config', '/k.toml'], files }),
      await load({ argv: ['--config', '/k.yml'], files }),
    ];

    expect(found.map((config) => config[field])).toEqual([expected, expected, expected, expected]);
  });
});

describe('a bad value', () => {
  test.each([
    ['node-id', '0', 'expected a whole number of at least 1, got "0"'],
    ['node-id', '1.5', 'expected a whole number'],
    ['node-id', 'one', 'expected a whole number'],
    ['client-addr', 'localhost:7379', 'expected a numeric address with a port'],
    ['client-addr', '127.0.0.1', 'expected a numeric address with a port'],
    ['client-addr', '127.0.0.1:65536', 'expected a numeric address with a port'],
    ['client-addr', '::1:7379', 'expected a numeric address with a port'],
    ['raft-addr', '127.0.0.1:x', 'expected a numeric address with a port'],
    ['durability', 'fast', 'expected strict, interval or relaxed, got "fast"'],
    ['interval-ms', '0', 'from 1 to 60000'],
    ['interval-ms', '60001', 'from 1 to 60000'],
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
    const config = await load({ argv: ['--', '--no-metrics', '--no-audit-log', '--node-id', '3'] });

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
    ['/k.yaml', 'peer: x', 'peer in /k.yaml is not available: this build runs a single node'],
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
