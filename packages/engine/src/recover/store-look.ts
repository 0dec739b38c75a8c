/**
 * One look at a store as opening would take it: the same code, run over evidence, up to the same refusal.
 *
 * Invariant: what is said here about opening is what opening does, since both are `readStore`.
 */

import { KayaError } from '@kayadb/codec';

import { CorruptionError } from '../errors.ts';
import { type CurrentFile, readCurrent } from '../files/current-file.ts';
import { readStoreState, type StoreState } from '../version/store-state.ts';
import type { EvidenceView } from './evidence-view.ts';
import { plainReason } from './examine-table.ts';
import { readStore, type StoreOnDisk } from './load-store.ts';

/** Why opening is refused. */
export interface Refusal {
  readonly code: string;
  /** `null` when it is not about one file. */
  readonly file: string | null;
  readonly offset: number | null;
  readonly reason: string;
}

export interface StoreLook {
  /** `undefined` when opening is refused, or would create a store. */
  readonly store: StoreOnDisk | undefined;
  readonly refusal: Refusal | undefined;
  /** What can be read of the store's own description, also when opening is refused. */
  readonly current: CurrentFile | undefined;
  readonly state: StoreState | undefined;
  readonly recordsReplayed: number;
}

/** @throws what is no KayaError: nothing that a file may hold is thrown. */
export async function lookAtStore(view: EvidenceView, directory: string): Promise<StoreLook> {
  let recordsReplayed = 0;
  const visit = (): void => {
    recordsReplayed++;
  };
  const outcome = await settle(() => readStore(view, directory, visit));
  if (outcome.refusal === undefined) {
    const store = outcome.value;
    return { store, refusal: undefined, current: store?.current, state: store?.state, recordsReplayed };
  }
  const { value: current } = await settle(() => readCurrent(view, directory));
  const description = current === undefined ? undefined : await settle(() => readStoreState(view, directory, current));
  return {
    store: undefined,
    refusal: outcome.refusal,
    current,
    state: description?.value?.state,
    recordsReplayed: 0,
  };
}

/** Runs `read`; a refusal is part of the answer. */
async function settle<Value>(
  read: () => Promise<Value>,
): Promise<{ readonly value: Value | undefined; readonly refusal: Refusal | undefined }> {
  try {
    return { value: await read(), refusal: undefined };
  } catch (error) {
    if (error instanceof CorruptionError) {
      const { code, file, offset } = error;
      return { value: undefined, refusal: { code, file, offset, reason: plainReason(error) } };
    }
    if (!(error instanceof KayaError)) throw error;
    const { code, message } = error;
    return { value: undefined, refusal: { code, file: null, offset: null, reason: message } };
  }
}
