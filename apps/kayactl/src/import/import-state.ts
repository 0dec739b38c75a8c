/**
 * How far an import of one file into one target has come, kept beside the file so that it can go on after a crash.
 *
 * Durability: published atomically; after any crash the file says no more than was acknowledged.
 */

import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { type FileSystem, isNotFound, publishFile } from '@kayadb/vfs';

import { CliError } from '../cli-error.ts';
import type { LineCounts } from './acknowledged-prefix.ts';

const FORMAT = 'kayactl-import 1';
/** The start of the input that is hashed to know it again. */
const FINGERPRINT_BYTES = 1024 * 1024;
/** Bound: a state file is a few hundred bytes. */
const MAX_STATE_BYTES = 64 * 1024;

/** What makes the input the same as last time. */
export interface InputIdentity {
  readonly bytes: number;
  readonly modified_ms: number;
  readonly sha256_of_first_mib: string;
}

export interface ImportState {
  readonly format: typeof FORMAT;
  readonly input: InputIdentity;
  readonly target: string;
  readonly acknowledged: LineCounts;
}

/** @throws FileSystemError when the input is not there. */
export async function identifyInput(fileSystem: FileSystem, path: string): Promise<InputIdentity> {
  const handle = await fileSystem.open(path, 'read');
  try {
    const start = new Uint8Array(Math.min(FINGERPRINT_BYTES, await handle.size()));
    const bytesRead = await handle.read(start, 0);
    const stat = await fileSystem.stat(path);
    return {
      bytes: await handle.size(),
      modified_ms: stat?.modifiedMs ?? 0,
      sha256_of_first_mib: createHash('sha256').update(start.subarray(0, bytesRead)).digest('hex'),
    };
  } finally {
    await handle.close();
  }
}

export class ImportStateFile {
  readonly path: string;
  readonly #fileSystem: FileSystem;
  readonly #input: InputIdentity;
  readonly #target: string;

  constructor(fileSystem: FileSystem, path: string, input: InputIdentity, target: string) {
    this.#fileSystem = fileSystem;
    this.path = path;
    this.#input = input;
    this.#target = target;
  }

  /**
   * What an earlier run has left, or `undefined` when there was none.
   *
   * @throws CliError KAYA_INPUT_CHANGED when it was about another input or target, or cannot be read.
   */
  async read(): Promise<LineCounts | undefined> {
    const stat = await this.#fileSystem.stat(this.path);
    if (stat === undefined) return undefined;
    const state = stat.bytes > MAX_STATE_BYTES ? undefined : parseState(await this.#fileSystem.readFile(this.path));
    if (state === undefined) throw this.#refusal('is not a state file of this program');
    if (!sameInput(state.input, this.#input))
      throw this.#refusal('belongs to an earlier version of the input, which has changed since');
    if (state.target !== this.#target)
      throw this.#refusal(`belongs to an import into ${state.target}, not ${this.#target}`);
    return state.acknowledged;
  }

  async write(acknowledged: LineCounts): Promise<void> {
    const state: ImportState = { format: FORMAT, input: this.#input, target: this.#target, acknowledged };
    const path = resolve(this.path);
    await publishFile(this.#fileSystem, dirname(path), basename(path), encodeUtf8(`${JSON.stringify(state)}\n`));
  }

  /** Does nothing when there is none. */
  async remove(): Promise<void> {
    try {
      await this.#fileSystem.unlink(this.path);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #refusal(reason: string): CliError {
    return new CliError('KAYA_INPUT_CHANGED', `${this.path} ${reason}`, {
      hint: 'Add --restart to import from the first line on, or --state FILE to keep the progress elsewhere.',
    });
  }
}

function sameInput(a: InputIdentity, b: InputIdentity): boolean {
  return a.bytes === b.bytes && a.modified_ms === b.modified_ms && a.sha256_of_first_mib === b.sha256_of_first_mib;
}

function parseState(bytes: Uint8Array): ImportState | undefined {
  let state: Partial<ImportState> | null;
  try {
    state = JSON.parse(decodeUtf8(bytes)) as Partial<ImportState> | null;
  } catch {
    return undefined;
  }
  const { format, input, target, acknowledged } = state ?? {};
  if (format !== FORMAT || typeof target !== 'string' || typeof input !== 'object') return undefined;
  if (acknowledged === undefined || !isCounts(acknowledged)) return undefined;
  return { format, input, target, acknowledged };
}

function isCounts(counts: LineCounts): boolean {
  return [counts.lines, counts.imported, counts.bad, counts.blank].every((n) => Number.isSafeInteger(n) && n >= 0);
}
