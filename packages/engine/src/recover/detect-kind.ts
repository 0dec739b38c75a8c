/** Tells what a file is, by the bytes that open it or else by its name. */

import { decodeUtf8 } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import { BACKUP_FILE } from '../backup/backup-format.ts';
import { parseFileName } from '../files/file-names.ts';
import { MAGIC_OF, type NumberedKind } from './file-header-evidence.ts';
import type { InspectableKind } from './file-inspection.ts';

const START_BYTES = 64;

export interface DetectedKind {
  /** The kind that its first bytes are of; `undefined` when they are of none, or could not be read. */
  readonly byContent: InspectableKind | undefined;
  readonly byName: InspectableKind | undefined;
}

/** @param name - Without a folder. */
export async function detectKind(handle: FileHandle, name: string): Promise<DetectedKind> {
  const buffer = new Uint8Array(START_BYTES);
  const start = decodeUtf8(buffer.subarray(0, await handle.read(buffer, 0)));
  return { byContent: kindOfContent(start), byName: kindOfName(name) };
}

function kindOfContent(start: string): InspectableKind | undefined {
  const numbered = (Object.keys(MAGIC_OF) as NumberedKind[]).find((kind) => start.startsWith(MAGIC_OF[kind]));
  if (numbered !== undefined) return numbered;
  if (/^kayadb backup \d/.test(start)) return 'backup';
  if (/^kayadb \d+ /.test(start)) return 'current';
  return start.startsWith('{"format":1,"token":"') ? 'lock' : undefined;
}

function kindOfName(name: string): InspectableKind | undefined {
  if (name === BACKUP_FILE) return 'backup';
  const { kind } = parseFileName(name);
  return kind === 'temporary' || kind === 'unknown' ? undefined : kind;
}
