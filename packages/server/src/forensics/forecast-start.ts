/** What the next start of a node would do with its directory. Pure; the order is that of the start, so the first refusal is the one that an operator would see. */

import type { KayaError } from '@kayadb/codec';

import { commitOf, type LookError, type NodeLook, placeOf } from './node-look.ts';
import { GROUP_FOLDER, RAFT_FOLDER } from './node-place.ts';
import type { StartForecast } from './node-report.ts';
import { isAhead } from './starting-store.ts';

const NOTHING: Omit<StartForecast, 'outcome' | 'lockTakeover'> = {
  code: null,
  file: null,
  offset: null,
  reason: null,
  appliedIndex: null,
  entriesReplayed: 0,
  entriesUndecided: 0,
  snapshotRestored: null,
  removed: [],
};

export function forecastStart(look: NodeLook): StartForecast {
  const { identity, identityError, lock, logError, log, store, storeFolder, snapshots, machine, machineError } = look;
  const lockTakeover = lock.kind === 'stale';
  const refuse = (error: LookError): StartForecast => ({
    ...refusal(error.code, error.message),
    lockTakeover,
    ...placed(error, look),
  });
  if (identityError !== undefined || identity === undefined) {
    return identityError === undefined
      ? { ...refusal('KAYA_NODE_LOST', 'its file NODE is gone'), lockTakeover }
      : refuse(identityError);
  }
  if (identity.isRemoved) {
    return { ...refusal('KAYA_NODE_REMOVED', `node ${identity.node} was removed from its group`), lockTakeover };
  }
  if (logError !== undefined) return refuse(logError);
  if (identity.hasBegun && (log?.lastIndex ?? 0) === 0) {
    return { ...refusal('KAYA_NODE_LOST', 'its log is gone'), file: RAFT_FOLDER, offset: 0, lockTakeover };
  }
  if (identity.cluster === undefined || log === undefined) return { ...NOTHING, outcome: 'forms', lockTakeover };
  if (store?.opening.outcome === 'refused') {
    const { code, file, offset, reason } = store.opening;
    const path = file === null ? null : `${storeFolder}/${file}`;
    return { ...refusal(code ?? '', reason ?? ''), file: path, offset, lockTakeover };
  }
  if (machineError !== undefined) return refuse(machineError);
  const stored = store?.durableIndex ?? 0;
  const isBehind = stored < log.firstIndex - 1;
  // Of a node that runs: else the snapshot was opened as a start does it.
  if (isBehind && !snapshots.isWhole && machine === undefined) {
    const reason = `the log begins behind entry ${log.firstIndex - 1}, the store has applied ${stored}, and the files of the snapshot between are not here`;
    return {
      ...refusal('KAYA_SNAPSHOT_MISSING', reason),
      file: `${RAFT_FOLDER}/raft-snapshot.bin`,
      offset: 0,
      lockTakeover,
    };
  }
  const snapshotRestored = isBehind ? (log.snapshot?.meta.index ?? null) : null;
  const appliedIndex = snapshotRestored ?? stored;
  if (isAhead(appliedIndex, log)) {
    const reason = `the store has applied entry ${appliedIndex}, and the log ends at ${log.lastIndex}: they do not belong together`;
    return { ...refusal('KAYA_RAFT_FOREIGN', reason), file: storeFolder ?? GROUP_FOLDER, offset: 0, lockTakeover };
  }
  const committed = Math.max(commitOf(log, store), appliedIndex);
  return {
    ...NOTHING,
    outcome: 'starts',
    appliedIndex,
    entriesReplayed: committed - appliedIndex,
    entriesUndecided: Math.max(0, log.lastIndex - committed),
    snapshotRestored,
    lockTakeover,
  };
}

function refusal(code: KayaError['code'], reason: string): Omit<StartForecast, 'lockTakeover'> {
  return { ...NOTHING, outcome: 'refused', code, reason };
}

function placed(error: LookError, look: NodeLook): Partial<StartForecast> {
  return placeOf(error, look) ?? {};
}
