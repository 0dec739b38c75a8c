/** Compares what was seen of a damaged store with what may be seen. Pure. */

import { CorruptionError } from '@kayadb/engine';

import type { Allowed } from './allowed-rows.ts';
import type { Damage, FileChange } from './damage.ts';
import type { DamagedStore } from './damaged-store.ts';
import type { Look, Reading } from './look-at-store.ts';
import type { Rows } from './stored-history.ts';

export interface Judgement {
  readonly outcome: 'refused at open' | 'refused at read' | 'harmless';
  /** Sentences that contradict the promise. */
  readonly faults: readonly string[];
  readonly wrongAnswers: number;
  readonly untypedErrors: number;
}

export function judgeLook(store: DamagedStore, damage: Damage, rule: Allowed, look: Look): Judgement {
  const allowed = rule.isRollback ? rolledBack(store, look) : rule;
  const faults: string[] = [...look.surprises];
  const { refusal, readings, verified } = look;
  let wrongAnswers = 0;
  let untypedErrors = 0;
  const errors = [refusal, ...readings.map(({ error }) => error), ...(verified?.damage ?? [])];
  for (const error of errors) {
    if (error === undefined) continue;
    if (!(error instanceof CorruptionError)) untypedErrors++;
    const fault = describeError(store, damage, error);
    if (fault !== undefined) faults.push(fault);
  }
  if (refusal === undefined && allowed.rows === undefined) {
    wrongAnswers++;
    faults.push('it was opened, and had to be refused');
  }
  for (const reading of readings) {
    if (allowed.rows === undefined || isRight(reading, allowed.rows)) continue;
    wrongAnswers++;
    faults.push(`${reading.how} gave a wrong answer, ${reading.rows.length} rows`);
  }
  if (refusal === undefined && allowed.rows !== undefined && allowed.durableIndex !== look.durableIndex) {
    faults.push(`its durable index is ${look.durableIndex} instead of ${allowed.durableIndex}`);
  }
  const isReadDamaged = readings.some(({ error }) => error !== undefined) || (verified?.damage.length ?? 0) > 0;
  if (allowed.harmless && (refusal !== undefined || isReadDamaged)) faults.push('nothing that it needs had changed');
  faults.push(...judgeTables(store, damage, look), ...judgeFiles(store, damage, look));
  if (look.report !== undefined) faults.push(...judgeReport(look, isReadDamaged));
  const outcome = refusal !== undefined ? 'refused at open' : isReadDamaged ? 'refused at read' : 'harmless';
  return { outcome, faults, wrongAnswers, untypedErrors };
}

/** The store as it was at the index that it says itself: whoever keeps the log sees that it goes back. */
function rolledBack({ history, layout }: DamagedStore, { durableIndex }: Look): Allowed {
  const isBack = durableIndex !== undefined && durableIndex <= layout.states.at(-1)!.durableIndex!;
  return { rows: isBack ? history.at(durableIndex) : undefined, durableIndex, isRollback: true, harmless: false };
}

/** A scan that ends early has given the first rows; a `get` its own, or none because of the error. */
function isRight({ how, rows, error }: Reading, right: Rows): boolean {
  if (how === 'approximateSize') return true;
  const expected = expectedOf(how, right);
  if (error === undefined && rows.length !== expected.length) return false;
  return rows.every((row, i) => row === expected[i]);
}

function expectedOf(how: string, right: Rows): Rows {
  if (how.startsWith('get ')) return right.filter((row) => row.startsWith(`${how.slice(4)}=`));
  if (!how.startsWith('scan ')) return right;
  const { reverse, gte, lt } = JSON.parse(how.slice(5)) as { reverse?: true; gte?: string; lt?: string };
  if (reverse) return right.toReversed();
  return right.filter((row) => isWithin(row.slice(0, row.indexOf('=')), gte, lt));
}

function isWithin(key: string, gte: string | undefined, lt: string | undefined): boolean {
  return (gte === undefined || key >= gte) && (lt === undefined || key < lt);
}

function describeError(store: DamagedStore, { nature, changes }: Damage, error: unknown): string | undefined {
  if (!(error instanceof CorruptionError)) return `it failed with ${String(error)}`;
  const { file, offset } = error;
  const change = changes.find((each) => each.file === file);
  if (change !== undefined)
    return isAtOrBefore(change, offset) ? undefined : `${error.message} points behind the damage`;
  // Files that are whole but do not belong together contradict each other; which of them is right nobody can tell.
  const contradict = changes.filter(
    (each) => !each.file.endsWith('.sst') && (nature === 'replaced' || endsEarlier(each)),
  );
  if (contradict.length > 0 && offset <= sizeOf(store, file)) return undefined;
  return `it blames another file: ${error.message}`;
}

/** Nothing but zeros is left from the first changed byte on: a log that looks as it did before its last records. */
function endsEarlier({ bytes, from }: FileChange): boolean {
  return bytes !== undefined && bytes.subarray(from).every((byte) => byte === 0);
}

function isAtOrBefore({ bytes, to }: FileChange, offset: number): boolean {
  return offset <= to || bytes === undefined;
}

function sizeOf({ files }: DamagedStore, file: string): number {
  return files.get(file)?.length ?? 0;
}

/** No byte of a table is outside of a checksum, so whoever reads all of it finds the damage. */
function judgeTables({ tables }: DamagedStore, { changes }: Damage, { refusal, readings, verified }: Look): string[] {
  const damaged = changes.filter(({ file }) => tables.includes(file)).map(({ file }) => file);
  if (damaged.length === 0 || refusal !== undefined || verified === undefined) return [];
  if (readings[0]!.error !== undefined && verified.damage.length === 0)
    return ['a scan failed, and verify found nothing'];
  const found = verified.damage.map(({ file }) => file);
  return damaged.filter((file) => !found.includes(file)).map((file) => `verify did not find the damage in ${file}`);
}

/** A refusal changes nothing. Otherwise a damaged table is left alone, whatever opening and compaction do. */
function judgeFiles({ tables }: DamagedStore, { changes }: Damage, { refusal, changedFiles }: Look): string[] {
  if (refusal !== undefined) {
    return changedFiles.size === 0 ? [] : [`it was refused, and ${[...changedFiles].join(', ')} changed`];
  }
  return changes
    .filter(({ file }) => tables.includes(file) && changedFiles.has(file))
    .map(({ file }) => `${file}, a damaged table, was removed or written to`);
}

function judgeReport({ refusal, report }: Look, isReadDamaged: boolean): string[] {
  const { verdict, opening, damage } = report!;
  const faults: string[] = [];
  if ((verdict === 'corrupt') !== (refusal !== undefined || isReadDamaged)) {
    faults.push(`inspectStore said ${verdict}, and reading ${isReadDamaged ? 'met' : 'did not meet'} damage`);
  }
  if ((opening.outcome === 'refused') !== (refusal !== undefined)) {
    faults.push(`inspectStore foretold that opening ${opening.outcome}`);
  }
  if (refusal instanceof CorruptionError) {
    const isForetold = opening.file === refusal.file && opening.offset === refusal.offset;
    const isFirst = damage[0]?.file === refusal.file && damage[0].offset === refusal.offset;
    if (!isForetold || !isFirst) faults.push(`inspectStore foretold ${opening.reason}, not ${refusal.message}`);
  }
  return faults;
}
