/** Settings from a TOML or YAML file. Its keys are the names of the flags without their dashes in front. */

import { decodeUtf8Strict } from '@kayadb/codec';
import { type FileSystem, FileSystemError } from '@kayadb/vfs';
import { parse as parseToml, TomlError } from 'smol-toml';

import { nearestName } from './nearest-name.ts';
import { SETTING_NAMES } from './settings.ts';
import { UNAVAILABLE, refuse } from './unavailable.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError for a file that cannot be read or parsed, or that holds unknown keys. */
export async function readConfigFile(fileSystem: FileSystem, path: string): Promise<ReadonlyMap<string, unknown>> {
  const settings = await parseConfig(path, await readText(fileSystem, path));
  for (const name of Object.keys(settings)) checkName(name, path);
  return new Map(Object.entries(settings));
}

async function readText(fileSystem: FileSystem, path: string): Promise<string> {
  try {
    const text = decodeUtf8Strict(await fileSystem.readFile(path));
    if (text !== undefined) return text;
  } catch (cause) {
    if (!(cause instanceof FileSystemError)) throw cause;
    throw new UsageError(`the config file cannot be read: ${cause.message}`, 'check --config and KAYA_CONFIG', {
      cause,
    });
  }
  throw new UsageError(`the config file ${path} is not UTF-8 text`, 'save it as UTF-8');
}

async function parseConfig(path: string, text: string): Promise<Record<string, unknown>> {
  const parse = await parserFor(path);
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (cause) {
    throw new UsageError(`the config file ${path} cannot be parsed: ${describeParseError(cause)}`, 'correct the file', {
      cause,
    });
  }
  if (parsed === null) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new UsageError(
      `the config file ${path} does not hold settings`,
      'write lines such as client-addr: 127.0.0.1:7379',
    );
  }
  return parsed as Record<string, unknown>;
}

/** The first line only: the next ones repeat the text of the file, which may hold a token. */
function describeParseError(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = message.split('\n')[0]!.replace(/:$/u, '');
  return cause instanceof TomlError ? `${reason} at line ${cause.line}, column ${cause.column}` : reason;
}

async function parserFor(path: string): Promise<(text: string) => unknown> {
  if (path.endsWith('.toml')) return parseToml;
  if (path.endsWith('.yaml') || path.endsWith('.yml')) {
    // Seventy modules, which few starts need.
    const { parse } = await import('yaml');
    return (text) => parse(text) as unknown;
  }
  throw new UsageError(`the config file ${path} is neither .toml nor .yaml`, 'name it after its format');
}

function checkName(name: string, path: string): void {
  const names: readonly string[] = SETTING_NAMES;
  if (names.includes(name)) return;
  if (Object.hasOwn(UNAVAILABLE, name)) refuse(`${name} in ${path}`, UNAVAILABLE[name]!.reason);
  const meant = nearestName(name, names);
  const guess = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new UsageError(
    `${path} has an unknown setting ${JSON.stringify(name)}${guess}`,
    'settings are named like the flags of kayadb-server --help',
  );
}
