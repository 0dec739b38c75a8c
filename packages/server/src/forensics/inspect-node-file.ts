/** Takes one file of a node's directory apart, by itself and read-only: NODE, or a file of Raft's, with the commands in it. Page: docs/reference/kayactl.md, "inspect". */

import { assertNever, DecodeError } from '@kayadb/codec';
import { CorruptionError, EngineError } from '@kayadb/engine';
import {
  inspectRaftFile,
  type InspectedRaftHeader,
  type RaftFileDamage,
  type RaftFileInspection,
  type Snapshot,
  type SnapshotMeta,
  type SnapshotFile,
  type SurveyedEntry,
  type TailKind,
} from '@kayadb/raft';
import type { FileSystem } from '@kayadb/vfs';

import { decodeNodeFile, NODE_FILE } from '../directory/node-file.ts';
import { decodeSnapshotData } from '../machine/snapshot-data.ts';
import { type DescribedCommand, describeCommand } from './describe-command.ts';
import { reportedNode } from './node-look.ts';
import type { ReportedNode } from './node-report.ts';

const ENTRY_KINDS = ['normal', 'config', 'config-v1'] as const;

export interface InspectedEntry {
  readonly offset: number;
  readonly index: number;
  readonly term: number;
  readonly kind: (typeof ENTRY_KINDS)[number] | 'unknown';
  readonly dataBytes: number;
  readonly checksum: 'ok' | 'damaged';
  /** Of an entry for the state machine. */
  readonly command: DescribedCommand | null;
}

export interface InspectedRaftRecord {
  readonly offset: number;
  readonly lsn: number;
  readonly kind: 'append' | 'reset';
  readonly firstIndex: number;
  readonly previousTerm: number;
  readonly commit: number;
  readonly durableLsn: number;
  readonly entries: readonly InspectedEntry[];
}

export interface InspectedRaftGap {
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  readonly entries: readonly InspectedEntry[];
}

interface OfFile {
  readonly bytes: number;
  readonly damage: readonly RaftFileDamage[];
}

interface OfRaft extends OfFile {
  readonly header: InspectedRaftHeader;
}

export type NodeFileInspection =
  | (OfFile & { readonly kind: 'node'; readonly node: ReportedNode | null })
  | (OfRaft & {
      readonly kind: 'raft-log';
      readonly records: readonly InspectedRaftRecord[];
      readonly gaps: readonly InspectedRaftGap[];
      readonly tail: { readonly offset: number; readonly reason: string; readonly kind: TailKind } | null;
    })
  | (OfRaft & {
      readonly kind: 'raft-state';
      readonly term: number | null;
      readonly vote: number | null;
      readonly slots: readonly {
        readonly slot: number;
        readonly offset: number;
        readonly version: number | null;
        readonly term: number | null;
        readonly vote: number | null;
      }[];
    })
  | (OfRaft & {
      readonly kind: 'raft-snapshot' | 'transfer';
      readonly snapshot: SnapshotMeta | null;
      readonly files: readonly SnapshotFile[];
    })
  | (OfRaft & { readonly kind: 'progress'; readonly place: { readonly file: number; readonly offset: number } | null });

/** Bound: a longer file is no NODE, whatever it is called. */
const MAX_NODE_BYTES = 4096;

/**
 * @returns `undefined` when it is no file of a node.
 * @throws FileSystemError when it cannot be read.
 */
export async function inspectNodeFile(
  fs: FileSystem,
  path: string,
  { showKeys = false }: { readonly showKeys?: boolean } = {},
): Promise<NodeFileInspection | undefined> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === NODE_FILE && ((await fs.stat(path))?.bytes ?? 0) <= MAX_NODE_BYTES)
    return inspectNode(await fs.readFile(path));
  const found = await inspectRaftFile(fs, path);
  return found === undefined ? undefined : describe(found, showKeys);
}

function inspectNode(bytes: Uint8Array): NodeFileInspection {
  const common = { kind: 'node', bytes: bytes.length } as const;
  try {
    return { ...common, damage: [], node: reportedNode(decodeNodeFile(bytes)) };
  } catch (error) {
    if (!(error instanceof CorruptionError) && !(error instanceof EngineError)) throw error;
    const reason = error.message.replace(/^.* is damaged at offset \d+: /, '');
    return { ...common, damage: [{ offset: 0, reason }], node: null };
  }
}

function describe(found: RaftFileInspection, showKeys: boolean): NodeFileInspection {
  const { bytes, damage, header } = found;
  const common = { bytes, damage, header };
  switch (found.kind) {
    case 'raft-log': {
      const { records = [], gaps = [], tail } = found.survey ?? {};
      const entriesOf = (entries: readonly SurveyedEntry[]): readonly InspectedEntry[] =>
        entries.map((entry) => describeEntry(entry, showKeys));
      return {
        kind: found.kind,
        ...common,
        records: records.map(({ offset, lsn, kind, firstIndex, previousTerm, commit, durableLsn, entries }) => ({
          offset,
          lsn,
          kind: kind === 2 ? 'reset' : 'append',
          firstIndex,
          previousTerm,
          commit,
          durableLsn,
          entries: entriesOf(entries),
        })),
        gaps: gaps.map((gap) => ({
          offset: gap.offset,
          bytes: gap.bytes,
          reason: gap.reason,
          entries: entriesOf(gap.entries),
        })),
        tail: tail === undefined ? null : { offset: tail.offset, reason: tail.reason, kind: tail.kind },
      };
    }
    case 'raft-state': {
      const slots = found.slots.map(({ slot, offset, state }) => ({
        slot,
        offset,
        version: state?.version ?? null,
        term: state?.term ?? null,
        vote: state?.vote ?? null,
      }));
      return { kind: found.kind, ...common, term: found.state?.term ?? null, vote: found.state?.vote ?? null, slots };
    }
    case 'raft-snapshot':
      return { kind: found.kind, ...common, snapshot: found.snapshot?.meta ?? null, files: filesOf(found.snapshot) };
    case 'transfer':
      return { kind: found.kind, ...common, snapshot: found.snapshot?.meta ?? null, files: found.files };
    case 'progress':
      return {
        kind: found.kind,
        ...common,
        place: found.place === undefined ? null : { file: found.place.file, offset: found.place.offset },
      };
    default:
      return assertNever(found, 'kind of file');
  }
}

function describeEntry(
  { offset, index, term, kind, dataBytes, data }: SurveyedEntry,
  showKeys: boolean,
): InspectedEntry {
  const name = ENTRY_KINDS[kind] ?? 'unknown';
  const isCommand = name === 'normal' && data !== undefined && data.length > 0;
  return {
    offset,
    index,
    term,
    kind: name,
    dataBytes,
    checksum: data === undefined ? 'damaged' : 'ok',
    command: isCommand ? describeCommand(data, showKeys) : null,
  };
}

/** What cannot be read is told by `recover --dry-run`: the file itself is whole. */
function filesOf(snapshot: Snapshot | undefined): readonly SnapshotFile[] {
  try {
    return snapshot === undefined ? [] : decodeSnapshotData(snapshot.data);
  } catch (error) {
    if (error instanceof DecodeError) return [];
    throw error;
  }
}
