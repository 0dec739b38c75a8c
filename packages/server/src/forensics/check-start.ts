/**
 * Whether a node can start from its directory, found out before a byte of it is changed: a start that is refused leaves its evidence as it was. It costs reading the log twice.
 *
 * Invariant: what is refused here is what opening log and store would be refused with; nothing is written.
 */

import { RaftEvidence } from '@kayadb/raft';

import { lostLog } from '../directory/directory-error.ts';
import type { NodeIdentity } from '../directory/node-file.ts';
import { RAFT_FOLDER, raftIdentityOf } from './node-place.ts';
import { openStartingStore, type StartingStoreOptions } from './starting-store.ts';

/**
 * Requires: nobody else has the directory open.
 *
 * @param identity - What NODE says.
 * @throws DirectoryError KAYA_NODE_LOST; RaftCorruptionError, RaftError; CorruptionError, EngineError; MachineError; FileSystemError.
 */
export async function checkStart(options: StartingStoreOptions, identity: NodeIdentity): Promise<void> {
  const { fs, directory } = options;
  const raft = raftIdentityOf(identity);
  if (raft === undefined) return;
  const path = `${directory}/${RAFT_FOLDER}`;
  const evidence =
    (await fs.stat(path)) === undefined ? undefined : await RaftEvidence.read(path, { fs, identity: raft });
  try {
    if (identity.hasBegun && (evidence?.lastIndex ?? 0) === 0) throw lostLog(path, identity.node);
    if (evidence === undefined) return;
    const store = await openStartingStore(options, evidence);
    const applied = store?.engine.durableIndex ?? 0;
    await store?.engine.close();
    // A change of the group that is applied and cannot be read is a later version's.
    evidence.configurationAt(Math.max(applied, evidence.snapshot?.meta.index ?? 0));
  } finally {
    await evidence?.close();
  }
}
