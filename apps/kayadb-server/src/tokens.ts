/** Where the two tokens come from. A token is a secret: it appears in no message and no log. */

import { decodeUtf8Strict, encodeUtf8, MAX_TOKEN_BYTES } from '@kayadb/codec';
import { type FileSystem, FileSystemError } from '@kayadb/vfs';

import { UsageError } from './usage-error.ts';

/** What one place (flags, environment, file) says about one token. */
export interface TokenSource {
  /** As the user would name the place: `--client-token`, `KAYA_CLIENT_TOKEN`. */
  readonly name: string;
  readonly fileName: string;
  readonly token: string | undefined;
  readonly file: string | undefined;
  readonly isCommandLine: boolean;
}

export interface ResolvedToken {
  readonly token: string | undefined;
  readonly warnings: readonly string[];
}

/** Shorter ones can be guessed. */
const SHORT_TOKEN_LENGTH = 16;
const OTHERS_CAN_READ = 0o004;

/** @param sources - The strongest first; the first that says anything decides. */
export async function resolveToken(fileSystem: FileSystem, sources: readonly TokenSource[]): Promise<ResolvedToken> {
  for (const source of sources) {
    const { name, fileName, token, file, isCommandLine } = source;
    if (token !== undefined && file !== undefined) {
      throw new UsageError(`${name} and ${fileName} exclude each other`, 'keep one of them');
    }
    if (token !== undefined) {
      const seen = isCommandLine
        ? [
            `${name} was given on the command line, where every user of this machine can see it; use ${fileName} or the environment`,
          ]
        : [];
      return check(name, token, seen);
    }
    if (file !== undefined) return readTokenFile(fileSystem, fileName, file);
  }
  return { token: undefined, warnings: [] };
}

async function readTokenFile(fileSystem: FileSystem, name: string, path: string): Promise<ResolvedToken> {
  const warnings: string[] = [];
  let bytes: Uint8Array;
  try {
    bytes = await fileSystem.readFile(path);
    const stat = await fileSystem.stat(path);
    if (stat !== undefined && (stat.mode & OTHERS_CAN_READ) !== 0) {
      warnings.push(`${name}: every user of this machine can read ${path}; run chmod 600 on it`);
    }
  } catch (cause) {
    if (!(cause instanceof FileSystemError)) throw cause;
    throw new UsageError(`${name}: ${cause.message}`, 'name a file that this user can read', { cause });
  }
  const text = decodeUtf8Strict(bytes);
  if (text === undefined) throw new UsageError(`${name}: ${path} is not UTF-8 text`, 'write the token as plain text');
  return check(`${name} ${path}`, text, warnings);
}

/** Line ends and spaces around a token come from editors and shells, not from people. */
function check(where: string, text: string, warnings: readonly string[]): ResolvedToken {
  const token = text.trim();
  if (token === '') throw new UsageError(`${where} holds no token`, 'write one into it, or leave it out');
  if (encodeUtf8(token).length > MAX_TOKEN_BYTES) {
    throw new UsageError(`${where} holds more than ${MAX_TOKEN_BYTES} bytes`, 'use a shorter token');
  }
  if (token.length >= SHORT_TOKEN_LENGTH) return { token, warnings };
  const short = `${where} holds a token of ${token.length} characters, which can be guessed; use at least ${SHORT_TOKEN_LENGTH}, as from openssl rand -hex 32`;
  return { token, warnings: [...warnings, short] };
}
