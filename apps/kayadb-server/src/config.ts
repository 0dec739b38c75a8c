/** All settings from their four places: defaults, then the config file, then the environment, then flags. */

import { type Endpoint, parseEndpoint } from '@kayadb/transport';
import type { FileSystem } from '@kayadb/vfs';

import { readConfigFile } from './config-file.ts';
import type { Invocation } from './flags.ts';
import { type GroupConfig, resolveGroup } from './group-config.ts';
import {
  commandLineLayer,
  type Environment,
  environmentLayer,
  fileLayer,
  type Layer,
  nonBlank,
  readLayers,
} from './layers.ts';
import { warnOfMistyped } from './mistyped-variables.ts';
import { resolveTls, type TlsConfig } from './tls/tls-config.ts';
import { resolveToken, type TokenSource } from './tokens.ts';

export interface Config extends GroupConfig {
  readonly nodeId: number;
  readonly clientAddress: Endpoint;
  readonly peerAddress: Endpoint;
  /** Of the HTTP listener; `undefined`: there is none. */
  readonly reportsAddress: Endpoint | undefined;
  readonly dataDirectory: string;
  /** `undefined`: everything is in clear. */
  readonly tls: TlsConfig | undefined;
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

/** @throws UsageError for the first value that cannot be used, by the name under which it was given. */
export async function loadConfig(
  invocation: Extract<Invocation, { kind: 'run' }>,
  env: Environment,
  fileSystem: FileSystem,
): Promise<Config> {
  const configFile = invocation.configFile ?? nonBlank(env['KAYA_CONFIG']);
  const layers = [commandLineLayer(invocation.settings), environmentLayer(env)];
  if (configFile !== undefined) layers.push(fileLayer(configFile, await readConfigFile(fileSystem, configFile)));
  const said = readLayers(layers);
  const { settings } = said;
  const tls = resolveTls(said);
  const group = resolveGroup(said);
  const client = await resolveToken(fileSystem, tokenSources('client-token', layers));
  const operator = await resolveToken(fileSystem, tokenSources('operator-token', layers));
  return {
    ...group,
    nodeId: settings['node-id'],
    clientAddress: settings['client-addr'],
    peerAddress: settings['raft-addr'],
    reportsAddress: settings['no-metrics'] ? undefined : settings['metrics-addr'],
    dataDirectory: settings.data,
    tls,
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
    warnings: [...warnOfMistyped(env), ...client.warnings, ...operator.warnings, ...group.warnings],
  };
}

/** The hosts at which clients and other nodes are told to find this node. */
export function toldHosts({
  clientAddress,
  peerAddress,
  advertisedClientAddress,
  advertisedPeerAddress,
}: Config): readonly string[] {
  const pairs = [
    [advertisedClientAddress, clientAddress],
    [advertisedPeerAddress, peerAddress],
  ] as const;
  return pairs.map(([told, listens]) => (told === undefined ? listens : (parseEndpoint(told) ?? listens)).host);
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
