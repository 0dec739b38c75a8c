/** The ways out of what was found, best first. Pure. Decision: docs/decisions/20261122-ways-out.md. */

import type { RecoveryReport } from '../recovery-report.ts';
import { type DamagedPlace, lossOf } from './damaged-place.ts';
import type { LogEvidence } from './log-evidence.ts';
import type { Loss, SalvagePolicy, WayOut } from './recovery-plan.ts';
import type { StoreBasis } from './store-basis.ts';
import type { SurveyedTable } from './survey-tables.ts';
import type { RowTallies } from './tally-rows.ts';

export interface Found {
  readonly directory: string;
  readonly report: RecoveryReport;
  readonly basis: StoreBasis;
  readonly log: LogEvidence;
  readonly tables: readonly SurveyedTable[];
  readonly places: readonly DamagedPlace[];
  readonly tallies: RowTallies;
  readonly showKeys: boolean;
}

/** @returns Never empty; each policy of a salvage is one of them unless it does the same as the one before. */
export function rankWaysOut(found: Found): readonly WayOut[] {
  const { report, basis } = found;
  const provable = describeSalvage(found, 'provable');
  const newest = describeSalvage(found, 'newest-found');
  const salvages = isSame(provable, newest) ? [provable] : [provable, newest];
  if (isBackup(report) && report.damage.length === 0) return [restoreThis(found), ...salvages];
  const open = report.opening.outcome === 'opens' ? [describeOpening(found)] : [];
  const isDamaged = failsReads(found) || open.length === 0;
  const ways: readonly WayOut[] = !isDamaged
    ? [...open, ...salvages]
    : losesNothing(provable)
      ? [...salvages, ...open, RESTORE]
      : basis.kind === 'tables'
        ? [restoreOf(found), ...salvages.toReversed(), ...open]
        : [restoreOf(found), provable, ...open, ...salvages.slice(1)];
  return mustLookAgain(found) ? [describeLookAgain(found), ...ways] : ways;
}

/** What a salvage by `policy` does, whether it is the best way or not. */
export function describeSalvage(found: Found, policy: SalvagePolicy): WayOut {
  const { directory, tallies, log } = found;
  const { rowCount, doubtfulCount, doubtful, lastSequence } = tallies[policy];
  const summary =
    policy === 'provable'
      ? 'Write every row that is proved to have been the newest of its key into a new directory'
      : 'Write the newest version of each key that can be read anywhere into a new directory';
  return {
    kind: 'salvage',
    policy,
    summary,
    command: `kayactl --data ${directory} recover --salvage --policy ${policy} --out`,
    rowCount,
    lastSequence: policy === 'provable' ? log.lastSequence : Math.max(log.lastSequence, lastSequence),
    losses: lossesOf(found, policy),
    doubtfulCount,
    doubtful: found.showKeys ? doubtful : null,
    cautions: cautionsOf(found, policy),
  };
}

function describeOpening(found: Found): WayOut {
  const { directory, report, places, tallies, showKeys, log } = found;
  const isDamaged = failsReads(found);
  const inTables = places.map((place) => lossOf(place, showKeys));
  const cautions = [
    isDamaged &&
      'opening succeeds, for it does not read the inside of tables; reads and compactions that come to a damaged place fail',
    isDamaged && 'nothing is lost by opening: what is listed cannot be read, and stays where it is',
    report.live && 'a process may have the store open: it has to end first',
    'opening writes into the directory: copy it first if it is evidence',
  ];
  return {
    kind: 'open',
    policy: null,
    summary: isDamaged ? 'Open the store and live with reads that fail' : 'Open the store: that recovers it',
    command: `kayactl --data ${directory} stats`,
    rowCount: isDamaged ? null : tallies.provable.rowCount,
    lastSequence: log.lastSequence,
    losses: inOrder([...inTables, ...log.lossesOfPrefix]),
    doubtfulCount: 0,
    doubtful: showKeys ? [] : null,
    cautions: cautions.filter((caution) => caution !== false),
  };
}

const RESTORE: WayOut = {
  kind: 'restore',
  policy: null,
  summary: 'Restore the newest backup into a new directory',
  command: null,
  rowCount: null,
  lastSequence: null,
  losses: [],
  doubtfulCount: 0,
  doubtful: null,
  cautions: ['whatever was written since that backup is not in it; a salvage of this directory may have it'],
};

function restoreOf({ basis }: Found): WayOut {
  if (basis.state?.durableIndex === undefined) return RESTORE;
  return {
    ...RESTORE,
    summary: 'Rebuild this copy from those that hold the same log, or restore a backup and repeat the log',
    cautions: [
      'the log of this store is kept elsewhere, so its other copies are better than anything that can be saved here',
    ],
  };
}

/** A backup is whole or refused; whether it is what was written, its list says and this plan does not. */
function restoreThis({ directory, tallies, log }: Found): WayOut {
  return {
    ...RESTORE,
    summary: 'Restore this backup into a new directory: every byte is compared with its list on the way',
    command: `kayactl restore ${directory} --data`,
    rowCount: tallies.provable.rowCount,
    lastSequence: log.lastSequence,
    cautions: ['this directory is a backup: it is restored, and never opened itself'],
  };
}

function isBackup({ opening }: RecoveryReport): boolean {
  return opening.code === 'KAYA_STORE_IS_BACKUP';
}

/** Whether an open store would have places that cannot be read: damaged ones, or a table that is refused here. */
function failsReads({ report, places }: Found): boolean {
  return report.damage.length > 0 || places.length > 0;
}

function mustLookAgain({ report, tables }: Found): boolean {
  const isUnreadable = report.files.some(({ state }) => state === 'unreadable');
  return isUnreadable || report.verdict === 'undecided' || tables.some(({ unreadable }) => unreadable !== undefined);
}

function describeLookAgain({ report, tables, directory }: Found): WayOut {
  const refused = report.files
    .filter(({ state }) => state === 'unreadable')
    .map(({ name, reason }) => `${name}: ${reason}`);
  const unread = tables
    .filter(({ file }) => !refused.some((sentence) => sentence.startsWith(`${file}: `)))
    .flatMap(({ unreadable }) => (unreadable === undefined ? [] : [unreadable]));
  const met = [...refused, ...unread];
  return {
    ...RESTORE,
    kind: 'look-again',
    summary: 'Mend what keeps the directory from being read, or copy it while nothing uses it, and make the plan again',
    command: `kayactl --data ${directory} recover --plan`,
    cautions: met.length > 0 ? met : report.warnings,
  };
}

function lossesOf({ basis, log, tables, places, showKeys }: Found, policy: SalvagePolicy): readonly Loss[] {
  const isProvable = policy === 'provable';
  const unnamed = new Set(tables.filter(({ isNamed }) => !isNamed).map(({ file }) => file));
  const counted = places.filter(({ file }) => basis.kind === 'tables' || !isProvable || !unnamed.has(file));
  const all = basis.damage === undefined ? counted : [...counted, basis.damage];
  const ofLog = isProvable ? log.lossesOfPrefix : log.lossesOfAll;
  return inOrder([...all.map((place) => lossOf(place, showKeys)), ...ofLog]);
}

function cautionsOf(found: Found, policy: SalvagePolicy): readonly string[] {
  const { basis, report, log, tallies } = found;
  const isProvable = policy === 'provable';
  const { manifest } = basis;
  const cautions = [
    basis.kind === 'tables' &&
      'no manifest can be read, so nobody knows which tables were live, which range deletes were in force and up to where the log had been flushed',
    basis.kind === 'tables' &&
      isProvable &&
      'without a manifest only what the log holds can be proved; all other rows are among the doubtful ones',
    basis.kind === 'other-manifest' &&
      `CURRENT does not lead to ${manifest}: it is the newest description that can be read`,
    basis.kind !== 'tables' &&
      !basis.isWhole &&
      `${manifest} is damaged or not the last one, so what compactions and flushes did after it is not known`,
    !isProvable && 'deleted keys and overwritten values may come back, and batches may be half there',
    !isProvable &&
      log.lossesOfAll.some(({ kind }) => kind === 'log') &&
      'any key may have had a newer version in the part of the log that is lost',
    isProvable &&
      tallies.provable.doubtfulCount > 0 &&
      'doubtful keys are left out: the damage may have held a newer version of them',
    basis.state?.durableIndex !== undefined &&
      'the log of this store is kept elsewhere: what is written has a log of its own and no durable index; rebuild a member of a cluster from its peers instead',
    report.live && 'a process may have the store open: this is what it held at one moment',
  ];
  return cautions.filter((caution) => caution !== false);
}

function losesNothing({ losses, doubtfulCount }: WayOut): boolean {
  return doubtfulCount === 0 && losses.every(({ kind }) => kind === 'torn-tail');
}

function isSame(a: WayOut, b: WayOut): boolean {
  return (
    a.rowCount === b.rowCount &&
    a.lastSequence === b.lastSequence &&
    a.doubtfulCount === b.doubtfulCount &&
    (a.doubtfulCount === 0 || b.doubtfulCount === 0) &&
    a.losses.length === b.losses.length
  );
}

function inOrder(losses: readonly Loss[]): readonly Loss[] {
  return losses.toSorted((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1));
}
