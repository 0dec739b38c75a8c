/** The words that the text and the page of a recovery plan share: titles, commands, and what a loss is. */

import { assertNever } from '@kayadb/codec';
import type { Loss, LossKind, LostKeys, RecoveryPlan, WayOut } from '@kayadb/engine';

import { groupedCountText, groupText } from '../count-text.ts';
import { shellWord } from '../shell-word.ts';

/** Stands for the folder that the reader chooses. */
export const NEW_FOLDER = 'NEW-DIR';

export const LOSS_NAMES: Readonly<Record<LossKind, string>> = {
  block: 'block',
  table: 'whole table',
  log: 'log',
  'torn-tail': 'torn tail',
  'range-deletes': 'range deletes',
  manifest: 'manifest',
};

export function wayOutTitle({ kind, policy, command }: WayOut): string {
  switch (kind) {
    case 'open':
      return 'OPEN the store as it is';
    case 'salvage':
      return policy === 'newest-found'
        ? 'SALVAGE the newest that can be found into a new folder'
        : 'SALVAGE what is provably good into a new folder';
    case 'restore':
      return command === null ? 'RESTORE a backup' : 'RESTORE this backup';
    case 'look-again':
      return 'LOOK AGAIN once everything can be read';
    default:
      return assertNever(kind, 'way out');
  }
}

/** What to type. `NEW-DIR` and `BACKUP` are for the reader to fill in. */
export function wayOutCommand({ kind, policy, command }: WayOut, directory: string): string {
  const data = shellWord(directory);
  switch (kind) {
    case 'open':
      return `kayactl --data ${data} stats`;
    case 'salvage':
      return `kayactl --data ${data} recover --salvage --policy ${policy} --out ${NEW_FOLDER}`;
    case 'restore':
      return `kayactl --data ${NEW_FOLDER} restore ${command === null ? 'BACKUP' : data}`;
    case 'look-again':
      return `kayactl --data ${data} recover --plan`;
    default:
      return assertNever(kind, 'way out');
  }
}

/** What readers see afterwards, as far as it is known. */
export function keptText({ kind, rowCount, lastSequence }: WayOut): string {
  if (kind === 'restore' && rowCount === null) return 'what the backup holds, which cannot be seen from here';
  if (kind === 'look-again') return 'everything: nothing is changed';
  if (kind === 'open' && rowCount === null) return 'everything as it is, with reads that fail';
  const rows = rowCount === null ? 'rows that nobody has counted' : groupedCountText(rowCount, 'row');
  return lastSequence === null ? rows : `${rows}, up to write ${groupText(lastSequence)}`;
}

/** What is lost, summed up in one line. */
export function lostText({ kind, losses, doubtfulCount, policy, command }: WayOut): string {
  if (kind === 'restore') return command === null ? 'every write since the backup' : 'every write since it was made';
  if (kind === 'look-again') return 'nothing';
  if (kind === 'open' && losses.some(({ kind: lost }) => lost !== 'torn-tail')) {
    return `nothing further; ${groupedCountText(losses.length, 'place')} cannot be read`;
  }
  if (losses.length === 0 && doubtfulCount === 0) return 'nothing that was acknowledged as durable';
  const parts: string[] = [];
  if (losses.length > 0) {
    const entries = losses.reduce((sum, { entryCount }) => sum + (entryCount ?? 0), 0);
    const isPartly = losses.some(({ entryCount }) => entryCount === null);
    const known =
      entries === 0 ? '' : `, ${isPartly ? 'at least ' : ''}${groupedCountText(entries, 'entry', 'entries')}`;
    const files = new Set(losses.map(({ file }) => file)).size;
    parts.push(`${groupedCountText(losses.length, 'place')} in ${groupedCountText(files, 'file')}${known}`);
  }
  if (doubtfulCount > 0) {
    const keys = groupedCountText(doubtfulCount, 'key');
    parts.push(
      policy === 'newest-found' ? `${keys} may be out of date` : `${keys} left out because a newer version may be lost`,
    );
  }
  return parts.join('; ');
}

/** Sequence numbers of what stood there. */
export function writesText({ firstSequence, lastSequence }: Loss): string {
  if (firstSequence === null && lastSequence === null) return 'any';
  if (firstSequence === null) return `up to ${lastSequence}`;
  if (lastSequence === null) return `${firstSequence} and later`;
  return firstSequence === lastSequence ? String(firstSequence) : `${firstSequence}-${lastSequence}`;
}

/** Which keys; never a key unless the plan has it. */
export function lostKeysText({ hasKeys, keys }: Loss): string {
  if (!hasKeys) return 'any';
  return keys === null ? 'a known stretch' : keyStretch(keys);
}

function keyStretch({ from, isFromExcluded, to }: LostKeys): string {
  if (from === null && to === null) return 'any';
  const start = from === null ? 'the first' : `hex:${from}`;
  const end = to === null ? 'the last' : `hex:${to}`;
  return `${isFromExcluded && from !== null ? 'after ' : ''}${start} to ${end}`;
}

/** What the plan knows the store by. */
export function basisText({ basis, manifest, report }: RecoveryPlan): string {
  const isDamaged = report.files.some(({ name, damage }) => name === manifest && damage.length > 0);
  if (basis === 'current') return `${manifest}, which CURRENT names${isDamaged ? ', as far as it can be read' : ''}`;
  if (basis === 'other-manifest') {
    return `${manifest}, ${isDamaged ? 'as far as it can be read' : 'which is whole'}, though CURRENT does not name it`;
  }
  return 'the tables themselves, since no manifest can be read';
}
