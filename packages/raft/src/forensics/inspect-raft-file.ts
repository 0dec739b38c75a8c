/**
 * Takes one file of a Raft directory apart, by itself and read-only: also behind damage, and whoever's it is.
 * Formats: docs/format/raft-log.md, raft-state.md, raft-snapshot.md, raft-snapshot-transfer.md.
 */

import { assertNever, decodeUtf8 } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

import { RaftCorruptionError, RaftError } from '../errors.ts';
import { decodeAnyProgress, decodeStagedSnapshot, PROGRESS_FILE, TRANSFER_FILE } from '../node/staging-format.ts';
import {
  type DecodedHeader,
  decodeFileHeader,
  identityInHeader,
  PROGRESS_MAGIC,
  RAFT_HEADER_BYTES,
  type RaftFileMagic,
  SEGMENT_MAGIC,
  SNAPSHOT_MAGIC,
  STATE_MAGIC,
  TRANSFER_MAGIC,
} from '../storage/file-header.ts';
import { parseSegmentFileName, SNAPSHOT_FILE_NAME, STATE_FILE_NAME } from '../storage/file-names.ts';
import {
  decodeSlot,
  decodeStateFile,
  slotOffset,
  STATE_SLOT_BYTES,
  type VersionedVote,
} from '../storage/hard-state-format.ts';
import { type RaftIdentity } from '../storage/raft-identity.ts';
import { decodeSnapshot } from '../storage/snapshot-format.ts';
import type {
  InspectedRaftHeader,
  InspectedSlot,
  RaftFileDamage,
  RaftFileInspection,
  RaftFileKind,
} from './raft-file-inspection.ts';
import { type SegmentSurvey, surveySegment } from './segment-survey.ts';

const MAGICS: Readonly<Record<RaftFileKind, RaftFileMagic>> = {
  'raft-log': SEGMENT_MAGIC,
  'raft-state': STATE_MAGIC,
  'raft-snapshot': SNAPSHOT_MAGIC,
  transfer: TRANSFER_MAGIC,
  progress: PROGRESS_MAGIC,
};
const MAGIC_BYTES = 8;
const NO_HEADER: Omit<InspectedRaftHeader, 'checksum'> = {
  cluster: null,
  node: null,
  incarnation: null,
  segment: null,
  startLsn: null,
  firstIndex: null,
  previousTerm: null,
};

interface Opened {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly header: DecodedHeader;
  readonly identity: RaftIdentity;
}

/** What a file of this name or with these first bytes is, if it is any of Raft's: its first bytes count for more. */
export function raftFileKind(name: string, start: Uint8Array): RaftFileKind | undefined {
  const magic = decodeUtf8(start.subarray(0, MAGIC_BYTES));
  const kinds = Object.keys(MAGICS) as RaftFileKind[];
  const byContent = kinds.find((kind) => MAGICS[kind] === magic);
  if (byContent !== undefined) return byContent;
  if (parseSegmentFileName(name) !== undefined) return 'raft-log';
  const names: Readonly<Record<string, RaftFileKind>> = {
    [STATE_FILE_NAME]: 'raft-state',
    [SNAPSHOT_FILE_NAME]: 'raft-snapshot',
    [TRANSFER_FILE]: 'transfer',
    [PROGRESS_FILE]: 'progress',
  };
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

/**
 * Describes the file at `path`. Damage is part of the answer. The file alone can not tell whether it belongs where it lies: `RaftEvidence` does.
 *
 * Bound: memory for the whole file.
 *
 * @returns `undefined` when it is none of Raft's.
 * @throws FileSystemError when it cannot be read.
 */
export async function inspectRaftFile(fs: FileSystem, path: string): Promise<RaftFileInspection | undefined> {
  const bytes = await fs.readFile(path);
  const file = path.slice(path.lastIndexOf('/') + 1);
  const kind = raftFileKind(file, bytes);
  if (kind === undefined) return undefined;
  const damage: RaftFileDamage[] = [];
  const header = openHeader(file, bytes, MAGICS[kind], damage);
  const common = { bytes: bytes.length, header: header.described, damage };
  const opened = header.decoded === undefined ? undefined : { file, bytes, ...header.decoded };
  const attempt = <Value>(decode: (opened: Opened) => Value): Value | undefined => read(opened, decode, damage);
  switch (kind) {
    case 'raft-log': {
      const survey = attempt(surveyOf);
      for (const { offset, lsn, reason } of survey?.gaps ?? []) {
        if (survey!.durableLsn > lsn) damage.push({ offset, reason });
      }
      damage.push(...(survey?.wrong ?? []));
      return { kind, ...common, damage: damage.toSorted((a, b) => a.offset - b.offset), survey };
    }
    case 'raft-state': {
      const slots = opened === undefined ? [] : [0, 1].map((slot) => slotOf(opened, slot));
      return { kind, ...common, slots, state: attempt(stateOf) };
    }
    case 'raft-snapshot':
      return { kind, ...common, snapshot: attempt((each) => decodeSnapshot(each.bytes, each.identity)) };
    case 'transfer': {
      const staged = attempt((each) => decodeStagedSnapshot(each.bytes, each.identity));
      return { kind, ...common, snapshot: staged?.snapshot, files: staged?.files ?? [] };
    }
    case 'progress':
      return { kind, ...common, place: attempt((each) => decodeAnyProgress(each.bytes, each.identity)) };
    default:
      return assertNever(kind, 'kind of file');
  }
}

interface OpenedHeader {
  readonly described: InspectedRaftHeader;
  readonly decoded: { readonly header: DecodedHeader; readonly identity: RaftIdentity } | undefined;
}

function openHeader(file: string, bytes: Uint8Array, magic: RaftFileMagic, damage: RaftFileDamage[]): OpenedHeader {
  const start = bytes.subarray(0, RAFT_HEADER_BYTES);
  const identity = start.length < RAFT_HEADER_BYTES ? undefined : identityInHeader(start);
  const named =
    identity === undefined
      ? NO_HEADER
      : {
          ...NO_HEADER,
          cluster: Buffer.from(identity.clusterId).toString('hex'),
          node: identity.nodeId,
          incarnation: identity.incarnation,
        };
  try {
    const header = decodeFileHeader(file, start, magic, identity!);
    const isSegment = magic === SEGMENT_MAGIC;
    const { segment, startLsn, firstIndex, previousTerm } = header;
    const place = isSegment ? { segment, startLsn, firstIndex, previousTerm } : {};
    return { described: { ...named, checksum: 'ok', ...place }, decoded: { header, identity: identity! } };
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
    if (error instanceof RaftCorruptionError) {
      damage.push({ offset: error.offset, reason: reasonOf(error) });
      return { described: { ...named, checksum: 'damaged' }, decoded: undefined };
    }
    return { described: { ...named, checksum: 'unsupported' }, decoded: undefined };
  }
}

/** What `decode` makes of the file; damage that it meets is noted. */
function read<Value>(
  opened: Opened | undefined,
  decode: (opened: Opened) => Value,
  damage: RaftFileDamage[],
): Value | undefined {
  if (opened === undefined) return undefined;
  try {
    return decode(opened);
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
    const offset = error instanceof RaftCorruptionError ? error.offset : 0;
    damage.push({ offset, reason: error instanceof RaftCorruptionError ? reasonOf(error) : error.message });
    return undefined;
  }
}

function surveyOf({ file, bytes, header }: Opened): SegmentSurvey {
  return surveySegment({ file, bytes, header, limitLsn: Number.POSITIVE_INFINITY });
}

function stateOf({ bytes, identity }: Opened): VersionedVote {
  return decodeStateFile(bytes, identity).state;
}

function slotOf({ bytes, header }: Opened, slot: number): InspectedSlot {
  const offset = slotOffset(slot);
  if (bytes.length < offset + STATE_SLOT_BYTES) return { slot, offset, state: undefined };
  try {
    return { slot, offset, state: decodeSlot(bytes, slot, header.seed) };
  } catch (error) {
    if (error instanceof RaftError) return { slot, offset, state: undefined };
    throw error;
  }
}

/** Without the file and the offset, which stand beside it. */
function reasonOf({ message, file, offset }: RaftCorruptionError): string {
  return message.replace(`${file} is damaged at offset ${offset}: `, '');
}
