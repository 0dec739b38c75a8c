/**
 * Every setting of the server, once: its flag, its environment variable and its key in a config file all follow from
 * the name here, and one schema reads them all. docs/reference/server.md lists them; a test compares.
 */

import { z } from 'zod';

import { parseListenAddress } from './listen-address.ts';

const integer = (least: number, most: number): z.ZodType<number> =>
  z.union([z.number(), z.string().regex(/^\d+$/u).transform(Number)]).pipe(z.number().int().min(least).max(most));

/** A size, or one that the program finds by the size of the disk. */
const bytesOrAuto = (most: number): z.ZodType<number | 'auto'> => z.union([z.literal('auto'), integer(0, most)]);

const flag = z.union([z.boolean(), z.stringbool({ truthy: ['1', 'true', 'yes'], falsy: ['0', 'false', 'no'] })]);
const text = z.string().min(1);
const address = z.string().transform((value, context) => {
  const endpoint = parseListenAddress(value);
  if (endpoint !== undefined) return endpoint;
  context.addIssue('not an address');
  return z.NEVER;
});

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export const DURABILITY_MODES = ['strict', 'interval', 'relaxed'] as const;

/** The tokens are not here: they may come from files, and are resolved by tokens.ts. */
export const settingsSchema = z.strictObject({
  'node-id': integer(1, Number.MAX_SAFE_INTEGER).default(1),
  'client-addr': address.prefault('127.0.0.1:7379'),
  'raft-addr': address.prefault('127.0.0.1:7481'),
  data: text.default('./data'),
  durability: z.enum(DURABILITY_MODES).default('strict'),
  'interval-ms': integer(1, 60_000).default(100),
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

export interface SettingHelp {
  /** What stands for the value in help; none for a switch. */
  readonly placeholder?: string;
  readonly description: string;
  /** Completes the sentence "expected ...". */
  readonly expected: string;
  /** Its value is never repeated in a message. */
  readonly isSecret?: boolean;
}

const SWITCH = 'true or false';

export const SETTING_HELP: Readonly<Record<SettingName, SettingHelp>> = {
  'node-id': {
    placeholder: '<number>',
    description: 'number of this node (default 1)',
    expected: 'a whole number of at least 1',
  },
  'client-addr': {
    placeholder: '<ip:port>',
    description: 'where clients connect; port 0 picks a free one (default 127.0.0.1:7379)',
    expected: 'a numeric address with a port, such as 127.0.0.1:7379 or [::1]:7379',
  },
  'raft-addr': {
    placeholder: '<ip:port>',
    description:
      'where other nodes will connect; checked and kept, but a single node listens on no such port (default 127.0.0.1:7481)',
    expected: 'a numeric address with a port, such as 127.0.0.1:7481 or [::1]:7481',
  },
  data: { placeholder: '<folder>', description: 'where the data are kept (default ./data)', expected: 'a folder' },
  durability: {
    placeholder: '<mode>',
    description:
      'what an acknowledged write survives: strict (power loss), interval (power loss, but for the last --interval-ms), relaxed (process death) (default strict)',
    expected: 'strict, interval or relaxed',
  },
  'interval-ms': {
    placeholder: '<ms>',
    description: 'with --durability interval: a sync starts at most this long after a write (default 100)',
    expected: 'a whole number of milliseconds from 1 to 60000',
  },
  'allow-public-bind': { description: 'allow --client-addr to be a wildcard or public address', expected: SWITCH },
  insecure: { description: 'allow --client-addr on a private network without a client token', expected: SWITCH },
  'allow-root': { description: 'allow running as root on an address that others can reach', expected: SWITCH },
  'client-token': {
    placeholder: '<token>',
    description:
      'clients must show it to read and write; others can see it in ps, so prefer the file or the environment',
    expected: 'a token',
    isSecret: true,
  },
  'client-token-file': { placeholder: '<file>', description: 'file that holds the client token', expected: 'a file' },
  'operator-token': {
    placeholder: '<token>',
    description:
      'operators must show it to change the cluster; others can see it in ps, so prefer the file or the environment',
    expected: 'a token',
    isSecret: true,
  },
  'operator-token-file': {
    placeholder: '<file>',
    description: 'file that holds the operator token',
    expected: 'a file',
  },
  'max-client-connections': {
    placeholder: '<number>',
    description: 'open client connections at most; the last ones are kept for operators (default 1024)',
    expected: 'a whole number from 1 to 1000000',
  },
  'drain-timeout-ms': {
    placeholder: '<ms>',
    description: 'how long stopping may take (default 10000)',
    expected: 'a whole number of milliseconds from 1 to 600000',
  },
  'disk-low-bytes': {
    placeholder: '<bytes>',
    description:
      'with less than this free on the disk, puts are refused while deletes and reads go on; 0: never (default auto: 5 % of the disk, at most 256 MiB)',
    expected: 'auto or a whole number of bytes',
  },
  'disk-reserve-bytes': {
    placeholder: '<bytes>',
    description:
      'size of a file whose room is given back to the store when the disk is full; 0: none (default auto: 2 % of the disk, at most 64 MiB)',
    expected: 'auto or a whole number of bytes',
  },
  'scrub-interval-hours': {
    placeholder: '<hours>',
    description: 'how often the whole store is read back and checked; 0: never (default 168, a week)',
    expected: 'a whole number of hours from 0 to 8760',
  },
  'scrub-bytes-per-second': {
    placeholder: '<bytes>',
    description: 'how much of the disk that takes; 0: all it can (default 16777216)',
    expected: 'a whole number of bytes',
  },
  'log-level': {
    placeholder: '<level>',
    description: `what is logged: ${LOG_LEVELS.join(', ')} (default info)`,
    expected: `one of ${LOG_LEVELS.join(', ')}`,
  },
};

export const SETTING_NAMES = Object.keys(SETTING_HELP) as readonly SettingName[];

/** `client-addr` to `KAYA_CLIENT_ADDR`. */
export function environmentName(name: string): string {
  return `KAYA_${name.replaceAll('-', '_').toUpperCase()}`;
}
