/** All settings from their four places: defaults, then the config file, then the environment, then flags. */

import type { Durability } from '@kayadb/engine';
import type { Endpoint } from '@kayadb/transport';
import type { FileSystem } from '@kayadb/vfs';

import { readConfigFile } from './config-file.ts';
import type { Invocation } from './flags.ts';
import { environmentName, SETTING_HELP, SETTING_NAMES, type SettingName, settingsSchema } from './settings.ts';
import { resolveToken, type TokenSource } from './tokens.ts';
import { UsageError } from './usage-error.ts';

export interface Config {
  readonly nodeId: number;
  readonly clientAddress: Endpoint;
  readonly raftAddress: Endpoint;
  readonly dataDirectory: string;
  readonly durability: Durability;
  readonly intervalMs: number;
  readonly allowPublicBind: boolean;
  readonly insecure: boolean;
  readonly allowRoot: boolean;
  readonly clientToken: string | undefined;
  readonly operatorToken: string | undefined;
  readonly maxClientConnections: number;
  readonly drainTimeoutMs: number;
  readonly diskLowBytes: number | 'auto';
  readonly diskReserveBytes: number | 'auto';
  /** 0: never. */
  readonly scrubIntervalMs: number;
  readonly scrubBytesPerSecond: number;
  readonly logLevel: string;
  /** To be logged once there is a logger. Holds no secret. */
  readonly warnings: readonly string[];
}

const MS_PER_HOUR = 3_600_000;

export type Environment = Readonly<Record<string, string | undefined>>;

/** One place that settings come from. */
interface Layer {
  /** How the user would name a setting of this place. */
  readonly nameOf: (setting: string) => string;
  readonly values: ReadonlyMap<string, unknown>;
  readonly isCommandLine: boolean;
}

/** @throws UsageError for the first value that cannot be used, by the name under which it was given. */
export async function loadConfig(
  invocation: Extract<Invocation, { kind: 'run' }>,
  env: Environment,
  fileSystem: FileSystem,
): Promise<Config> {
  const configFile = invocation.configFile ?? nonBlank(env['KAYA_CONFIG']);
  const layers: Layer[] = [
    { nameOf: (name) => `--${name}`, values: invocation.settings, isCommandLine: true },
    { nameOf: environmentName, values: readEnvironment(env), isCommandLine: false },
  ];
  if (configFile !== undefined) {
    const values = await readConfigFile(fileSystem, configFile);
    layers.push({ nameOf: (name) => `${name} in ${configFile}`, values, isCommandLine: false });
  }
  const settings = parse(layers);
  const client = await resolveToken(fileSystem, tokenSources('client-token', layers));
  const operator = await resolveToken(fileSystem, tokenSources('operator-token', layers));
  return {
    nodeId: settings['node-id'],
    clientAddress: settings['client-addr'],
    raftAddress: settings['raft-addr'],
    dataDirectory: settings.data,
    durability: settings.durability,
    intervalMs: settings['interval-ms'],
    allowPublicBind: settings['allow-public-bind'],
    insecure: settings.insecure,
    allowRoot: settings['allow-root'],
    clientToken: client.token,
    operatorToken: operator.token,
    maxClientConnections: settings['max-client-connections'],
    drainTimeoutMs: settings['drain-timeout-ms'],
    diskLowBytes: settings['disk-low-bytes'],
    diskReserveBytes: settings['disk-reserve-bytes'],
    scrubIntervalMs: settings['scrub-interval-hours'] * MS_PER_HOUR,
    scrubBytesPerSecond: settings['scrub-bytes-per-second'],
    logLevel: settings['log-level'],
    warnings: [...client.warnings, ...operator.warnings],
  };
}

function readEnvironment(env: Environment): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const name of SETTING_NAMES) {
    const value = nonBlank(env[environmentName(name)]);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** An empty variable is how a shell or a service file says that it is not set. */
function nonBlank(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value;
}

function parse(layers: readonly Layer[]): ReturnType<typeof settingsSchema.parse> {
  const merged: Record<string, unknown> = {};
  for (const layer of layers.toReversed()) for (const [name, value] of layer.values) merged[name] = value;
  const result = settingsSchema.safeParse(merged);
  if (result.success) return result.data;
  const name = result.error.issues[0]?.path[0] as SettingName;
  const layer = layers.find(({ values }) => values.has(name));
  const { expected, isSecret } = SETTING_HELP[name];
  const got = isSecret === true ? '' : `, got ${describeValue(merged[name])}`;
  throw new UsageError(
    `${layer?.nameOf(name) ?? name}: expected ${expected}${got}`,
    'kayadb-server --help describes all settings',
  );
}

/** A file may hold a list or a table, even one that holds itself. */
function describeValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'a list or a table' : JSON.stringify(value);
}

function tokenSources(name: 'client-token' | 'operator-token', layers: readonly Layer[]): readonly TokenSource[] {
  return layers.map(({ nameOf, values, isCommandLine }) => ({
    name: nameOf(name),
    fileName: nameOf(`${name}-file`),
    token: values.get(name) as string | undefined,
    file: values.get(`${name}-file`) as string | undefined,
    isCommandLine,
  }));
}
