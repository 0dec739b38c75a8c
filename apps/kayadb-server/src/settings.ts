/**
 * Every setting of the server, once: its flag, its environment variable and its key in a config file all follow from
 * the name here, and one schema reads them all. docs/reference/server.md lists them; a test compares.
 */

import { z } from 'zod';

import { parseListenAddress } from './listen-address.ts';
import { parseReachableAddress } from './reachable-address.ts';

/** Bound: the two numbers above stand for threads of a node, docs/format/peer-handshake.md. */
export const MAX_NODE_ID = Number.MAX_SAFE_INTEGER - 2;

const integer = (least: number, most: number): z.ZodType<number> =>
  z.union([z.number(), z.string().regex(/^\d+$/u).transform(Number)]).pipe(z.number().int().min(least).max(most));

/** A size, or one that the program finds by the size of the disk. */
const bytesOrAuto = (most: number): z.ZodType<number | 'auto'> => z.union([z.literal('auto'), integer(0, most)]);

const flag = z.union([z.boolean(), z.stringbool({ truthy: ['1', 'true', 'yes'], falsy: ['0', 'false', 'no'] })]);
const text = z.string().min(1);

const parsed = <T>(parse: (value: string) => T | undefined): z.ZodType<T, string> =>
  z.string().transform((value, context) => {
    const found = parse(value);
    if (found !== undefined) return found;
    context.addIssue('not an address');
    return z.NEVER;
  });

const listenAddress = parsed(parseListenAddress);
const reachableAddress = parsed(parseReachableAddress);

/** Flags give one text each time, a variable gives all of them with spaces between. */
const texts = z.union([
  z.array(text),
  z.string().transform((value) => value.split(/\s+/u).filter((each) => each !== '')),
]);

/** YAML and TOML read 1.2 as a number. */
const tlsVersion = z.union([z.enum(['1.2', '1.3']), z.literal([1.2, 1.3]).transform((version) => version.toFixed(1))]);

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** The tokens are not here: they may come from files, and are resolved by tokens.ts. */
export const settingsSchema = z.strictObject({
  'node-id': integer(1, MAX_NODE_ID).default(1),
  'client-addr': listenAddress.prefault('127.0.0.1:7379'),
  'raft-addr': listenAddress.prefault('127.0.0.1:7481'),
  'metrics-addr': listenAddress.prefault('127.0.0.1:9090'),
  'no-metrics': flag.default(false),
  'advertise-client-addr': reachableAddress.optional(),
  'advertise-raft-addr': reachableAddress.optional(),
  data: text.default('./data'),
  peer: texts.optional(),
  'join-cluster': flag.default(false),
  'peer-identity': texts.optional(),
  'tls-cert': text.optional(),
  'tls-key': text.optional(),
  'tls-ca': text.optional(),
  'tls-min-client-version': tlsVersion.default('1.3'),
  'tls-require-client-cert': flag.default(false),
  'heartbeat-ms': integer(10, 10_000).default(100),
  'election-ms': integer(50, 100_000).default(500),
  'read-leases': flag.default(false),
  durability: z.enum(['strict', 'interval', 'relaxed']).default('strict'),
  'allow-public-bind': flag.default(false),
  insecure: flag.default(false),
  'allow-root': flag.default(false),
  'client-token': text.optional(),
  'client-token-file': text.optional(),
  'operator-token': text.optional(),
  'operator-token-file': text.optional(),
  'max-client-connections': integer(1, 1_000_000).default(1_024),
  'drain-timeout-ms': integer(1, 600_000).default(10_000),
  'disk-low-bytes': bytesOrAuto(2 ** 50).default('auto'),
  'disk-reserve-bytes': bytesOrAuto(2 ** 40).default('auto'),
  'scrub-interval-hours': integer(0, 8_760).default(168),
  'scrub-bytes-per-second': integer(0, 2 ** 40).default(16 * 1024 * 1024),
  'log-level': z.enum(LOG_LEVELS).default('info'),
});

export type Settings = z.output<typeof settingsSchema>;
export type SettingName = keyof Settings;

export const SETTING_NAMES = Object.keys(settingsSchema.shape) as readonly SettingName[];

/** `client-addr` to `KAYA_CLIENT_ADDR`. */
export function environmentName(name: string): string {
  return `KAYA_${name.replaceAll('-', '_').toUpperCase()}`;
}
