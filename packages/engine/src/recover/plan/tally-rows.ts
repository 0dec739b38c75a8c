/** Counts what each policy keeps, without writing it. */

import { checkAborted } from '../../snapshot/check-aborted.ts';
import type { Turn } from '../../turn.ts';
import { hex } from './damaged-place.ts';
import type { PickedRow } from './pick-rows.ts';
import type { DoubtfulKey, SalvagePolicy } from './recovery-plan.ts';
import type { StoreEvidence } from './store-evidence.ts';

/** Bound: doubtful keys that are listed. */
const MAX_LISTED_KEYS = 10_000;

export interface RowTally {
  rowCount: number;
  /** Of keys and values. */
  bytes: number;
  doubtfulCount: number;
  /** The newest write that is kept or known to be hidden; 0 without any. */
  lastSequence: number;
  readonly doubtful: DoubtfulKey[];
}

export type RowTallies = Readonly<Record<SalvagePolicy, RowTally>>;

export interface TallyOptions {
  readonly showKeys: boolean;
  readonly signal: AbortSignal | undefined;
  readonly turn: Turn;
  readonly onBytes: (bytes: number) => void;
}

export async function tallyRows(evidence: StoreEvidence, options: TallyOptions): Promise<RowTallies> {
  const { showKeys, signal, turn, onBytes } = options;
  const tallies: RowTallies = { provable: startTally(), 'newest-found': startTally() };
  // Without a manifest no row of a table can be proved, so those that are found stand in doubt for both policies.
  const isUnproved = evidence.basis.kind === 'tables';
  await evidence.walk((row) => {
    checkAborted(signal, 'the plan');
    addRow(tallies[row.policy], row, showKeys);
    if (isUnproved && row.policy === 'newest-found' && row.isDoubtful)
      addRow(tallies.provable, { ...row, policy: 'provable' }, showKeys);
    return turn.step();
  }, onBytes);
  return tallies;
}

function addRow(tally: RowTally, { policy, entry, isDoubtful, file }: PickedRow, showKeys: boolean): void {
  if (isDoubtful) {
    tally.doubtfulCount++;
    if (showKeys && tally.doubtful.length < MAX_LISTED_KEYS) {
      tally.doubtful.push({ key: hex(entry.key), sequence: entry.sequence, file });
    }
    if (policy === 'provable') return;
  }
  tally.rowCount++;
  tally.bytes += entry.key.length + entry.value.length;
  tally.lastSequence = Math.max(tally.lastSequence, entry.sequence);
}

function startTally(): RowTally {
  return { rowCount: 0, bytes: 0, doubtfulCount: 0, lastSequence: 0, doubtful: [] };
}
