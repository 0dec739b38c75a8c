/** The files of the snapshot that Raft has, against the sizes and CRCs in `raft-snapshot.bin`; and what lies beside them. */

import { DecodeError } from '@kayadb/codec';
import type { StoreDamage } from '@kayadb/engine';
import type { Snapshot, SnapshotFile } from '@kayadb/raft';
import { type FileSystem, FileSystemError } from '@kayadb/vfs';

import { checksumFile } from '../machine/file-checksum.ts';
import { snapshotsPath } from '../machine/group-folders.ts';
import { decodeSnapshotData } from '../machine/snapshot-data.ts';
import { nodeFile } from './examine-raft-files.ts';
import { GROUP_FOLDER, RAFT_FOLDER } from './node-place.ts';
import type { NodeFile } from './node-report.ts';

export interface ExaminedSnapshots {
  readonly files: readonly NodeFile[];
  readonly damage: readonly StoreDamage[];
  /** Whether all the files of the snapshot are there as they should be. */
  readonly isWhole: boolean;
}

const FOLDER = `${GROUP_FOLDER}/snapshots`;

/**
 * @param snapshot - What Raft has; undefined: none, or it can not be read.
 * @throws FileSystemError when folders cannot be listed.
 */
export async function examineSnapshots(
  fs: FileSystem,
  directory: string,
  snapshot: Snapshot | undefined,
  onRead: (bytes: number) => Promise<void> | void,
): Promise<ExaminedSnapshots> {
  const files: NodeFile[] = [];
  const damage: StoreDamage[] = [];
  const parent = snapshotsPath(`${directory}/${GROUP_FOLDER}`);
  const index = snapshot === undefined || snapshot.meta.index === 0 ? undefined : snapshot.meta.index;
  const listed = (await fs.stat(parent)) === undefined ? [] : await fs.readDirectory(parent);
  for (const { name } of listed) {
    if (name !== String(index)) files.push(nodeFile({ name: `${FOLDER}/${name}`, kind: 'folder', state: 'leftover' }));
  }
  if (snapshot === undefined || index === undefined) return { files, damage, isWhole: true };
  const folder = `${FOLDER}/${index}`;
  const expected = filesOf(snapshot, damage);
  if (expected === undefined) return { files, damage, isWhole: false };
  if (!listed.some(({ name }) => name === String(index))) {
    files.push(
      nodeFile({
        name: folder,
        kind: 'folder',
        state: 'missing',
        reason: 'the snapshot in raft-snapshot.bin names it',
      }),
    );
    return { files, damage, isWhole: false };
  }
  const present = new Set((await fs.readDirectory(`${directory}/${folder}`)).map(({ name }) => name));
  for (const file of expected) {
    const found = present.has(file.name) ? await compare(fs, `${directory}/${folder}/${file.name}`, file) : MISSING;
    await onRead(found.bytes);
    const name = `${folder}/${file.name}`;
    files.push(nodeFile({ name, kind: 'snapshot-file', ...found }));
    if (found.state !== 'intact' && found.state !== 'unreadable')
      damage.push({ file: name, offset: 0, reason: found.reason! });
  }
  return { files, damage, isWhole: damage.length === 0 };
}

type Compared = Pick<NodeFile, 'state' | 'bytes' | 'reason'>;

const MISSING: Compared = { state: 'missing', bytes: 0, reason: 'the snapshot names this file, and it is missing' };

async function compare(fs: FileSystem, path: string, expected: SnapshotFile): Promise<Compared> {
  try {
    const { bytes, crc } = await checksumFile(fs, path);
    if (bytes !== expected.bytes) {
      return {
        state: 'corrupt',
        bytes,
        reason: `the snapshot says that it has ${expected.bytes} bytes, and it has ${bytes}`,
      };
    }
    if (crc !== expected.crc)
      return { state: 'corrupt', bytes, reason: 'its CRC is not the one that the snapshot says' };
    return { state: 'intact', bytes, reason: null };
  } catch (error) {
    if (error instanceof FileSystemError) return { state: 'unreadable', bytes: 0, reason: error.message };
    throw error;
  }
}

function filesOf({ data }: Snapshot, damage: StoreDamage[]): readonly SnapshotFile[] | undefined {
  try {
    return decodeSnapshotData(data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    damage.push({ file: `${RAFT_FOLDER}/raft-snapshot.bin`, offset: 0, reason: `its data: ${error.message}` });
    return undefined;
  }
}
