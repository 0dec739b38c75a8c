/** The files of a Raft directory, each by itself, and beside each other: what is damaged, where the log was torn, what is nobody's. */

import { type RaftFileInspection, inspectRaftFile, type RaftEvidence } from '@kayadb/raft';
import { type FileSystem, FileSystemError, TEMPORARY_SUFFIX } from '@kayadb/vfs';

import type { NodeFile, NodeFileState, ReportedNode } from './node-report.ts';

const NO_FACTS = {
  offset: null,
  reason: null,
  damage: [],
  recordCount: null,
  entryCount: null,
  firstIndex: null,
  lastIndex: null,
} as const;

export function nodeFile(file: Pick<NodeFile, 'name' | 'kind' | 'state'> & Partial<NodeFile>): NodeFile {
  return { bytes: 0, ...NO_FACTS, ...file };
}

export interface RaftFilesOptions {
  readonly fs: FileSystem;
  /** The folder of the log. */
  readonly path: string;
  /** In front of names. */
  readonly prefix: string;
  readonly node: ReportedNode | undefined;
  /** Undefined where opening is refused. */
  readonly log: Pick<RaftEvidence, 'tail' | 'removedByOpening'> | undefined;
  readonly onRead: (bytes: number) => Promise<void> | void;
}

/** In the order of names. @throws FileSystemError when the folder cannot be listed. */
export async function examineRaftFiles(options: RaftFilesOptions): Promise<readonly NodeFile[]> {
  const { fs, path, prefix, log, onRead } = options;
  const files: NodeFile[] = [];
  const segments: Segment[] = [];
  for (const { name, kind } of await fs.readDirectory(path)) {
    const bytes = (await fs.stat(`${path}/${name}`))?.bytes ?? 0;
    const common = { name: `${prefix}${name}`, bytes };
    if (name.endsWith(TEMPORARY_SUFFIX)) {
      files.push(nodeFile({ ...common, kind: 'temporary', state: 'leftover' }));
      continue;
    }
    if (kind !== 'file') {
      files.push(nodeFile({ ...common, kind: 'unknown', state: 'unknown', reason: 'it is not a file' }));
      continue;
    }
    const found = await tryInspect(fs, `${path}/${name}`);
    await onRead(bytes);
    if (found instanceof FileSystemError) {
      files.push(nodeFile({ ...common, kind: 'unknown', state: 'unreadable', reason: found.message }));
    } else if (found === undefined) files.push(nodeFile({ ...common, kind: 'unknown', state: 'unknown' }));
    else {
      const segment = segmentOf(found, files.length);
      if (segment !== undefined) segments.push(segment);
      files.push(describe(common, found, options));
    }
  }
  for (const segment of segments) files[segment.at] = withNeighbours(files[segment.at]!, segment, segments);
  const isRemoved = new Set(log?.removedByOpening.map((name) => `${prefix}${name}`));
  return files.map((file) => (isRemoved.has(file.name) ? { ...file, state: 'leftover' } : file));
}

async function tryInspect(fs: FileSystem, path: string): Promise<RaftFileInspection | undefined | FileSystemError> {
  try {
    return await inspectRaftFile(fs, path);
  } catch (error) {
    if (error instanceof FileSystemError) return error;
    throw error;
  }
}

function describe(
  common: Pick<NodeFile, 'name' | 'bytes'>,
  found: RaftFileInspection,
  { log, prefix, node }: RaftFilesOptions,
): NodeFile {
  const { kind, damage, header } = found;
  const file = { ...common, kind, damage, ...countsOf(found) };
  const state = stateOf(found, node);
  if (state !== 'intact') {
    const first = damage[0];
    const reason =
      first?.reason ??
      (state === 'foreign'
        ? `it belongs to node ${header.node} of cluster ${header.cluster}, incarnation ${header.incarnation}`
        : 'a newer version wrote it');
    return nodeFile({ ...file, state, offset: first?.offset ?? null, reason });
  }
  const { tail } = log ?? {};
  const isTorn = tail?.kind === 'torn' && `${prefix}${tail.file}` === common.name;
  return isTorn
    ? nodeFile({ ...file, state: 'torn-tail', offset: tail.offset, reason: tail.reason })
    : nodeFile({ ...file, state: 'intact' });
}

function stateOf({ damage, header }: RaftFileInspection, node: ReportedNode | undefined): NodeFileState {
  if (header.checksum === 'unsupported') return 'unsupported';
  if (damage.length > 0) return 'corrupt';
  if (node === undefined || node.cluster === null) return 'intact';
  const isOwn = header.cluster === node.cluster && header.node === node.id && header.incarnation === node.incarnation;
  return isOwn ? 'intact' : 'foreign';
}

function countsOf(found: RaftFileInspection): Partial<NodeFile> {
  if (found.kind === 'raft-snapshot') return { lastIndex: found.snapshot?.meta.index ?? null };
  if (found.kind !== 'raft-log' || found.survey === undefined) return {};
  const entries = found.survey.records.flatMap((record) => record.entries);
  const indexes = entries.map(({ index }) => index);
  const bounds =
    indexes.length === 0
      ? {}
      : {
          firstIndex: indexes.reduce((least, index) => Math.min(least, index)),
          lastIndex: indexes.reduce((most, index) => Math.max(most, index)),
        };
  return { recordCount: found.survey.records.length, entryCount: entries.length, ...bounds };
}

/** What a segment's neighbours have to be known of it; not its entries, of which there may be a lot. */
interface Segment {
  /** Its place among the files. */
  readonly at: number;
  readonly startLsn: number;
  /** Where no record is that verifies, the end included. */
  readonly gaps: readonly { readonly lsn: number; readonly offset: number; readonly reason: string }[];
}

function segmentOf(found: RaftFileInspection, at: number): Segment | undefined {
  const { startLsn } = found.header;
  if (found.kind !== 'raft-log' || found.survey === undefined || startLsn === null) return undefined;
  const gaps = [...found.survey.gaps, found.survey.tail].map(({ lsn, offset, reason }) => ({ lsn, offset, reason }));
  return { at, startLsn, gaps };
}

/** A later segment says by where it starts that everything in front of it had been durable. */
function withNeighbours(file: NodeFile, { startLsn, gaps }: Segment, segments: readonly Segment[]): NodeFile {
  if (file.state === 'foreign') return file;
  const later = segments.map((segment) => segment.startLsn).filter((lsn) => lsn > startLsn);
  if (later.length === 0) return file;
  const next = Math.min(...later);
  const known = new Set(file.damage.map(({ offset }) => offset));
  const lost = gaps
    .filter(({ lsn, offset }) => lsn < next && !known.has(offset))
    .map(({ offset, reason }) => ({ offset, reason }));
  if (lost.length === 0) return file;
  const damage = [...file.damage, ...lost].toSorted((a, b) => a.offset - b.offset);
  return { ...file, state: 'corrupt', damage, offset: damage[0]!.offset, reason: damage[0]!.reason };
}
