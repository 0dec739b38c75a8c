/** The flags that every command takes, before or after its name. docs/reference/kayactl.md, "Global flags". */

import type { DialTls } from '@kayadb/client';
import { decodeUtf8 } from '@kayadb/codec';
import type { Durability } from '@kayadb/engine';
import type { FileSystem } from '@kayadb/vfs';
import { type Command, InvalidArgumentError, Option } from 'commander';

import { usageError } from './cli-error.ts';
import type { KayactlIo } from './io.ts';
import { addTlsOptions, readTlsOptions, type TlsFlags } from './tls-options.ts';

export interface GlobalOptions {
  /** Folder of the store in embedded mode. */
  readonly data: string;
  /** Endpoints as `host:port`; empty in embedded mode. */
  readonly servers: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly durability: Durability | undefined;
  readonly json: boolean;
  readonly clientToken: string | undefined;
  readonly operatorToken: string | undefined;
  /** `undefined`: connections are in clear. */
  readonly tls: DialTls | undefined;
}

/** The flags as commander gives them. */
interface GlobalFlags extends TlsFlags {
  readonly data: string;
  readonly server?: readonly string[];
  readonly timeout?: number;
  readonly deadline?: number;
  readonly durability?: Durability;
  readonly json?: boolean;
  readonly clientToken?: string;
  readonly clientTokenFile?: string;
  readonly operatorToken?: string;
  readonly operatorTokenFile?: string;
}

const MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000;
/** Bound: a token file. A token's length is a u16 on the wire. */
const MAX_TOKEN_FILE_BYTES = 65_536;

/** Adds the global flags to the program itself; commander then finds them anywhere on the line. */
export function addGlobalOptions(program: Command): void {
  program
    .optionsGroup('Global options:')
    .option('--data <dir>', 'folder of the store to open directly', './data')
    .option('--server <host:port>', 'talk to this server instead; repeat it for further nodes', collectServer)
    .option('--timeout <ms>', 'how long one request to a server may take (default: 5000, scans 60000)', parseTimeout)
    .option(
      '--deadline <ms>',
      'how long it may take with all its tries, at other nodes too (default: 30000)',
      parseTimeout,
    )
    .addOption(
      new Option('--durability <mode>', 'what an acknowledged write survives (default: strict)').choices([
        'strict',
        'interval',
        'relaxed',
      ]),
    )
    .option('--json', 'print results and errors as JSON')
    .option('--client-token <token>', 'token for data, visible in ps; prefer KAYA_CLIENT_TOKEN or the file')
    .option('--client-token-file <file>', 'file that holds the token for data')
    .option('--operator-token <token>', 'token for operators, visible in ps; prefer KAYA_OPERATOR_TOKEN or the file')
    .option('--operator-token-file <file>', 'file that holds the token for operators');
  addTlsOptions(program);
}

/** Gathers flags, environment and files. @throws CliError KAYA_USAGE, or FileSystemError for a token file. */
export async function readGlobalOptions(flags: GlobalFlags, io: KayactlIo): Promise<GlobalOptions> {
  const { fileSystem, env } = io;
  return {
    data: flags.data,
    servers: flags.server ?? [],
    timeoutMs: flags.timeout,
    deadlineMs: flags.deadline,
    durability: flags.durability,
    json: flags.json ?? false,
    clientToken: await readToken(
      'client',
      flags.clientToken,
      flags.clientTokenFile,
      env['KAYA_CLIENT_TOKEN'],
      fileSystem,
    ),
    operatorToken: await readToken(
      'operator',
      flags.operatorToken,
      flags.operatorTokenFile,
      env['KAYA_OPERATOR_TOKEN'],
      fileSystem,
    ),
    // Who opens a folder has no use for it, and should not fail for a variable that is meant for servers.
    tls: flags.server === undefined ? undefined : await readTlsOptions(flags, io),
  };
}

async function readToken(
  kind: 'client' | 'operator',
  flag: string | undefined,
  file: string | undefined,
  variable: string | undefined,
  fileSystem: FileSystem,
): Promise<string | undefined> {
  if (flag !== undefined && file !== undefined) {
    throw usageError(
      `--${kind}-token and --${kind}-token-file are both given`,
      `Give one of them; --${kind}-token-file keeps the token out of the process list.`,
    );
  }
  if (file !== undefined) return readTokenFile(kind, file, fileSystem);
  // A blank variable or flag counts as none, and white space around a token is none of it: as the server reads its own.
  const token = (flag ?? variable)?.trim();
  return token === '' ? undefined : token;
}

async function readTokenFile(kind: string, file: string, fileSystem: FileSystem): Promise<string> {
  const stat = await fileSystem.stat(file);
  if (stat !== undefined && stat.bytes > MAX_TOKEN_FILE_BYTES) {
    throw usageError(
      `${file} is too large for a token`,
      `Point --${kind}-token-file at a file that holds the token and nothing else.`,
    );
  }
  const token = decodeUtf8(await fileSystem.readFile(file)).trim();
  if (token !== '') return token;
  throw usageError(`${file} holds no token`, `Put the ${kind} token into it, on one line.`);
}

function collectServer(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, parseAddress(text)];
}

/** @returns `text`. @throws InvalidArgumentError unless it is `host:port`. */
export function parseAddress(text: string): string {
  const match = /^(?:\[[^[\]]+\]|[^:[\]\s]+):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (!(port >= 1 && port <= 65_535)) {
    throw new InvalidArgumentError('Write it as host:port, for example 127.0.0.1:7379 or [::1]:7379.');
  }
  return text;
}

/** Reads the number of a node. @throws InvalidArgumentError */
export function parseNode(text: string): number {
  return parseCount(text, 1);
}

function parseTimeout(text: string): number {
  return parseCount(text, 1, MAX_TIMEOUT_MS);
}

/** Reads a whole number in decimal. @throws InvalidArgumentError, which commander turns into a sentence about the flag. */
export function parseCount(text: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new InvalidArgumentError(`Give a whole number ${range}.`);
}
