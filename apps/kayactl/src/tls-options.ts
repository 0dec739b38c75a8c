/**
 * The flags and variables of TLS, and what they make of a connection. docs/reference/kayactl.md, "TLS".
 *
 * Invariant: who asks for any of it never speaks in clear: one flag or variable turns TLS on, and a file that cannot be used ends the command.
 */

import { type DialTls, type ExpectedIdentity, parseSpkiPin, SecureIdentity } from '@kayadb/client';
import { KayaError } from '@kayadb/codec';
import { type Command, InvalidArgumentError, Option } from 'commander';

import { CliError, usageError } from './cli-error.ts';
import { EXIT } from './exit-codes.ts';
import type { KayactlIo } from './io.ts';

/** The flags as commander gives them. */
export interface TlsFlags {
  readonly tls?: boolean;
  readonly tlsCa?: string;
  /** The name of the original for it. */
  readonly tlsCaCert?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsPin?: readonly string[];
  readonly tlsServerName?: string;
}

interface TlsWish {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly pins: readonly string[];
  readonly serverName: string | undefined;
}

/** Bound: a file with certificates or a key. */
const MAX_TLS_FILE_BYTES = 4 * 1024 * 1024;

const NO: ReadonlySet<string> = new Set(['0', 'false', 'no']);
const YES: ReadonlySet<string> = new Set(['1', 'true', 'yes']);

export function addTlsOptions(program: Command): void {
  program
    .option('--tls', 'speak TLS to servers, and trust the public CAs unless --tls-ca or --tls-pin says whom')
    .option('--tls-ca <file>', 'trust the CAs in this file; turns TLS on')
    .addOption(new Option('--tls-ca-cert <file>').hideHelp())
    .option('--tls-cert <file>', 'the certificate to show to servers that ask for one')
    .option('--tls-key <file>', 'its key')
    .option('--tls-pin <pin>', 'trust the server with this key, sha256/...; repeat it for several', collectPin)
    .option('--tls-server-name <name>', 'expect the certificate of this name instead of that of --server');
}

/**
 * Reads what flags and environment name; flags win.
 *
 * @returns `undefined`: connections are in clear.
 * @throws CliError KAYA_USAGE for what contradicts itself, or a file that cannot be read or used.
 */
export async function readTlsOptions(flags: TlsFlags, io: KayactlIo): Promise<DialTls | undefined> {
  const wish = gatherWish(flags, io.env);
  if (wish === undefined) return undefined;
  const { ca, cert, key, pins, serverName } = wish;
  const material = {
    ca: await readPem('--tls-ca', ca, io),
    certificate: await readPem('--tls-cert', cert, io),
    key: await readPem('--tls-key', key, io),
  };
  const identity = checkIdentity(() => new SecureIdentity(material, io.wallClock()));
  const expected = expectedOf(pins, serverName);
  return expected === undefined ? { identity } : { identity, expected };
}

function gatherWish(flags: TlsFlags, env: KayactlIo['env']): TlsWish | undefined {
  const variable = (name: string): string | undefined => env[name]?.trim() || undefined;
  const { tls, tlsCa, tlsCaCert, tlsCert, tlsKey, tlsPin, tlsServerName } = flags;
  if (tlsCa !== undefined && tlsCaCert !== undefined) {
    throw usageError('--tls-ca and --tls-ca-cert are both given', 'They are the same flag; give --tls-ca.');
  }
  const named = [tlsCa, tlsCaCert, tlsCert, tlsKey, tlsPin, tlsServerName].some((flag) => flag !== undefined);
  const wanted = readSwitch(variable('KAYA_TLS'));
  if (tls !== true && !named && wanted === false) return undefined;
  const pinVariable = variable('KAYA_TLS_PIN');
  const wish: TlsWish = {
    ca: tlsCa ?? tlsCaCert ?? variable('KAYA_TLS_CA'),
    cert: tlsCert ?? variable('KAYA_TLS_CERT'),
    key: tlsKey ?? variable('KAYA_TLS_KEY'),
    pins: tlsPin ?? (pinVariable === undefined ? [] : pinVariable.split(',').map(pinOfVariable)),
    serverName: tlsServerName ?? variable('KAYA_TLS_SERVER_NAME'),
  };
  const { ca, cert, key, pins, serverName } = wish;
  const isAsked = pins.length > 0 || [ca, cert, key, serverName].some((part) => part !== undefined);
  return tls === true || wanted === true || isAsked ? wish : undefined;
}

function readSwitch(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (YES.has(text.toLowerCase())) return true;
  if (NO.has(text.toLowerCase())) return false;
  throw usageError('KAYA_TLS is neither 1 nor 0', 'Set it to 1, or to 0 to ignore the other KAYA_TLS_ variables.');
}

function expectedOf(pins: readonly string[], serverName: string | undefined): ExpectedIdentity | undefined {
  if (pins.length > 0 && serverName !== undefined) {
    throw usageError(
      'a pin and a server name are both given',
      'A pin says which key the server has; with it, leave the name out.',
    );
  }
  if (pins.length > 0) return { kind: 'pin', spkiSha256: pins };
  return serverName === undefined ? undefined : { kind: 'name', name: serverName };
}

async function readPem(
  flag: string,
  path: string | undefined,
  { fileSystem }: KayactlIo,
): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  const variable = `KAYA_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
  const hint = `Name a PEM file with ${flag} or ${variable}.`;
  try {
    const stat = await fileSystem.stat(path);
    if (stat !== undefined && stat.bytes > MAX_TLS_FILE_BYTES) {
      throw usageError(`${path} is too large for a certificate or key`, hint);
    }
    return await fileSystem.readFile(path);
  } catch (error) {
    if (error instanceof CliError || !(error instanceof KayaError)) throw error;
    const message = `the file of ${flag} cannot be read: ${error.message}`;
    throw new CliError('KAYA_USAGE', message, { hint, cause: error });
  }
}

function checkIdentity(make: () => SecureIdentity): SecureIdentity {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof KayaError)) throw error;
    throw new CliError('KAYA_USAGE', error.message, {
      hint: 'Correct the file of --tls-ca, --tls-cert or --tls-key, or the KAYA_TLS_ variable that names it.',
      exitCode: EXIT.invalidArgument,
      cause: error,
    });
  }
}

function collectPin(text: string, earlier: readonly string[] = []): readonly string[] {
  const pin = parseSpkiPin(text);
  if (pin !== undefined) return [...earlier, pin];
  throw new InvalidArgumentError('Write it as sha256/ and 44 characters of base64, or as 64 hexadecimal digits.');
}

function pinOfVariable(text: string): string {
  const pin = parseSpkiPin(text);
  if (pin !== undefined) return pin;
  throw usageError('KAYA_TLS_PIN is no pin', 'Write it as sha256/ and base64, or as 64 hexadecimal digits.');
}
