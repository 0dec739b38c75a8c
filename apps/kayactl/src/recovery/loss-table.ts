/** Losses in aligned columns, for people. */

import type { Loss } from '@kayadb/engine';

import { formatTable } from '../table-text.ts';
import { LOSS_NAMES, lostKeysText, writesText } from './plan-words.ts';

export const LOSS_HEAD = ['LOST', 'FILE', 'OFFSET', 'BYTES', 'ENTRIES', 'WRITES', 'KEYS', 'REASON'];

/** The cells of `loss` under `LOSS_HEAD`. */
export function lossCells(loss: Loss): readonly string[] {
  const { kind, file, offset, bytes, entryCount, reason } = loss;
  const entries = entryCount === null ? '?' : String(entryCount);
  return [LOSS_NAMES[kind], file, String(offset), String(bytes), entries, writesText(loss), lostKeysText(loss), reason];
}

export function formatLosses(losses: readonly Loss[]): Promise<string> {
  return formatTable(LOSS_HEAD, losses.map(lossCells));
}
