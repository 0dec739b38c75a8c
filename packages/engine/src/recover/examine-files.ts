/**
 * Turns each file of a directory into its entry of the report.
 *
 * Invariant: where opening is not refused, nothing that opening reads is called corrupt; where it is refused, the file it
 * is refused for is. Only what opening does not read, the inside of tables, is judged here alone.
 */

import { FileSystemError, isNotFound } from '@kayadb/vfs';

import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import { CURRENT_FILE, manifestFileName, parseFileName, tableFileName, walFileName } from '../files/file-names.ts';
import type { FileNumber } from '../key/internal-key.ts';
import type { StoreState } from '../version/store-state.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { NO_SEGMENT } from '../wal/wal-replay.ts';
import type { EvidenceView } from './evidence-view.ts';
import { checkGroup, EditSum, examineLog } from './examine-log.ts';
import { describeStranger, type NumberedKind } from './file-header-evidence.ts';
import { fileReport, opening, unreadReport } from './file-report.ts';
import {
  type FoundLog,
  isBlank,
  type LogFileEvidence,
  sideOf,
  strayLogReport,
  type Torn,
  tornByItself,
} from './log-file-evidence.ts';
import type { FileDamage, OpeningAction, RecoveredFile } from './recovery-report.ts';
import type { StoreLook } from './store-look.ts';
import { readTableEvidence } from './table-evidence.ts';

export interface ExamineOptions {
  readonly view: EvidenceView;
  readonly directory: string;
  readonly look: StoreLook;
  readonly showKeys: boolean;
  /** Whether a table that the manifest named a moment ago is still needed now that it is gone. */
  readonly isTableStillNeeded: (fileNumber: FileNumber) => Promise<boolean>;
}

export interface ExaminedFiles {
  readonly files: readonly RecoveredFile[];
  /** LSN behind the newest record that was found; 0 without any. */
  readonly newestLsn: number;
  readonly newestWholeManifest: string | undefined;
}

interface PlacedTable {
  readonly level: number;
  readonly meta: TableMeta;
}

/** @throws FileSystemError when the directory cannot be read; files that cannot be are reported. */
export async function examineFiles(options: ExamineOptions): Promise<ExaminedFiles> {
  return new FileExaminer(options).run();
}

class FileExaminer {
  readonly #options: ExamineOptions;
  readonly #files: RecoveredFile[] = [];
  /** What to judge tables by when the store's own description is lost. */
  #newestWhole: { readonly name: string; readonly state: StoreState } | undefined;

  constructor(options: ExamineOptions) {
    this.#options = options;
  }

  async run(): Promise<ExaminedFiles> {
    await this.#examineManifests();
    const newestLsn = await this.#examineSegments();
    await this.#examineTables();
    this.#addMissing();
    const files = this.#files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return { files, newestLsn, newestWholeManifest: this.#newestWhole?.name };
  }

  async #examineManifests(): Promise<void> {
    const { look } = this.#options;
    const inForce = look.current?.manifestNumber;
    for (const fileNumber of this.#numbersOf('manifest')) {
      const sum = new EditSum();
      const file = await this.#readLog(manifestFileName(fileNumber), fileNumber, 'manifest', (record) =>
        sum.check(record),
      );
      if (file === undefined) continue;
      const damage = this.#damageOf(file, 'manifest', fileNumber === inForce, file.examination.durableLsn);
      const { recordCount, gaps } = file.examination;
      const isWhole = damage.length === 0 && gaps.length === 0 && sum.state !== undefined;
      if (isWhole) this.#newestWhole = { name: file.name, state: sum.state! };
      const isNeeded = fileNumber === inForce;
      const torn = this.#tornManifest(isNeeded, file);
      const side = this.#isNoStore ? 'obsolete' : sideOf(fileNumber, inForce);
      this.#addLog(file, 'manifest', {
        damage,
        torn,
        state: isNeeded ? 'intact' : side,
        entryCount: null,
        action: isNeeded ? 'replay' : 'remove',
        recordsReplayed: isNeeded ? Math.min(recordCount, look.store?.manifest.editCount ?? 0) : 0,
      });
    }
  }

  #tornManifest(isNeeded: boolean, { examination }: LogFileEvidence): Torn | undefined {
    const verdict = this.#options.look.store?.manifest.verdict;
    if (isNeeded && verdict !== undefined) {
      if (verdict.kind !== 'torn') return undefined;
      return { offset: verdict.offset, reason: verdict.reason, bytesCut: verdict.droppedBytes };
    }
    return tornByItself(examination);
  }

  /** @returns LSN behind the newest record. */
  async #examineSegments(): Promise<number> {
    const { look } = this.#options;
    const segments: LogFileEvidence[] = [];
    for (const fileNumber of this.#numbersOf('wal')) {
      const file = await this.#readLog(walFileName(fileNumber), fileNumber, 'wal', (record) => checkGroup(record));
      if (file !== undefined) segments.push(file);
    }
    for (const [i, file] of segments.entries()) {
      if (look.state?.oldestSegment === NO_SEGMENT) {
        this.#files.push(strayLogReport(file, this.#ifOpened('leave')));
        continue;
      }
      const isObsolete = this.#isNoStore || file.fileNumber < (look.state?.oldestSegment ?? 0);
      const durableLsn = Math.max(0, ...segments.slice(i).map(({ examination }) => examination.durableLsn));
      const damage = this.#damageOf(file, 'wal', !isObsolete, durableLsn);
      this.#addLog(file, 'wal', {
        damage,
        torn: isObsolete ? undefined : this.#tornSegment(file),
        state: isObsolete ? 'obsolete' : 'intact',
        entryCount: file.examination.ordinalCount,
        action: isObsolete ? 'remove' : 'replay',
        recordsReplayed: isObsolete ? 0 : this.#replayedOf(file),
      });
    }
    if (look.state?.oldestSegment === NO_SEGMENT) return 0;
    return Math.max(0, ...segments.map(({ examination }) => examination.endLsn ?? 0));
  }

  #tornSegment(file: LogFileEvidence): Torn | undefined {
    const { store } = this.#options.look;
    if (store === undefined) return tornByItself(file.examination);
    const { verdict, files } = store.wal;
    if (verdict.kind !== 'torn') return undefined;
    const { header, contentEnd } = file.examination;
    if (file.name === verdict.file) {
      return { offset: verdict.offset, reason: verdict.reason, bytesCut: Math.max(0, contentEnd - verdict.offset) };
    }
    const isBehind = files.find((each) => each.file === file.name)?.state === 'behind';
    if (!isBehind || header.state !== 'valid') return undefined;
    const reason = `it stands behind the torn tail of ${verdict.file}`;
    return { offset: FILE_HEADER_BYTES, reason, bytesCut: contentEnd - FILE_HEADER_BYTES };
  }

  /** Records of the segment that opening applies: those that tables do not hold, in front of where the log ends. */
  #replayedOf({ examination }: LogFileEvidence): number {
    const { store } = this.#options.look;
    if (store === undefined) return 0;
    const { state, wal } = store;
    return examination.records.filter(
      ({ lsn, lastOrdinal }) => lsn < wal.verdict.lsn && lastOrdinal > state.flushedSequence,
    ).length;
  }

  async #examineTables(): Promise<void> {
    const { look } = this.#options;
    const live = placeTables(look.state ?? this.#newestWhole?.state);
    for (const fileNumber of this.#numbersOf('table')) {
      const isOrphan = look.state !== undefined && !live.has(fileNumber);
      await this.#examineTable(fileNumber, live.get(fileNumber), isOrphan);
    }
  }

  async #examineTable(fileNumber: FileNumber, placed: PlacedTable | undefined, isOrphan: boolean): Promise<void> {
    const { view, directory, look, showKeys } = this.#options;
    const name = tableFileName(fileNumber);
    const table = {
      view,
      path: `${directory}/${name}`,
      file: name,
      fileNumber,
      meta: placed?.meta,
      storeId: look.current?.storeId,
    };
    try {
      const { damage, unsupported, formatVersion, properties, entryCount } = await readTableEvidence(table);
      const byContent = damage.length > 0 ? 'corrupt' : unsupported === undefined ? 'intact' : 'unsupported';
      this.#files.push(
        fileReport({
          name,
          kind: 'table',
          state: isOrphan ? 'orphan' : byContent,
          formatVersion,
          damage,
          reason: damage[0]?.reason ?? unsupported ?? null,
          bytes: view.bytesOf(name),
          entryCount: entryCount ?? null,
          firstSequence: properties?.smallestSequence ?? null,
          lastSequence: properties?.largestSequence ?? null,
          level: placed?.level ?? null,
          hasKeyRange: properties !== undefined,
          smallestKey: showKeys && properties !== undefined ? hex(properties.smallestKey) : null,
          largestKey: showKeys && properties !== undefined ? hex(properties.largestKey) : null,
          opening: opening(this.#ifOpened(isOrphan ? 'remove' : 'keep')),
        }),
      );
    } catch (error) {
      await this.#addUnreadable(name, 'table', error, placed !== undefined ? fileNumber : undefined);
    }
  }

  /** Damage of a log file, in the order of offsets. @param durableLsn - Of this file and all that come after it. */
  #damageOf(file: LogFileEvidence, kind: NumberedKind, isNeeded: boolean, durableLsn: number): readonly FileDamage[] {
    const { look } = this.#options;
    const { header, gaps, wrongRecords } = file.examination;
    const refusal = look.refusal?.file === file.name ? look.refusal : undefined;
    // Opening has read it all and found nothing wrong: then nothing in it is.
    if (isNeeded && look.store !== undefined) return [];
    const damage: FileDamage[] = [...wrongRecords];
    if (header.state === 'damaged' && !isBlank(file.examination)) damage.push({ offset: 0, reason: header.reason });
    const stranger = describeStranger(header, { storeId: look.current?.storeId, fileNumber: file.fileNumber });
    if (stranger !== undefined) damage.push({ offset: 0, reason: stranger });
    for (const { offset, lsn, reason } of gaps) if (durableLsn > lsn) damage.push({ offset, reason });
    if (refusal?.code === 'KAYA_CORRUPTION' && !damage.some(({ offset }) => offset === refusal.offset)) {
      damage.push({ offset: refusal.offset!, reason: refusal.reason });
    }
    return damage.toSorted((a, b) => a.offset - b.offset);
  }

  #addLog(file: LogFileEvidence, kind: 'wal' | 'manifest', found: FoundLog): void {
    const { name, bytes, examination } = file;
    const { damage, torn } = found;
    const isNeeded = found.state === 'intact';
    const isSequenced = kind === 'wal';
    const state = !isNeeded
      ? found.state
      : examination.header.state === 'unsupported'
        ? 'unsupported'
        : damage.length > 0
          ? 'corrupt'
          : torn === undefined
            ? 'intact'
            : 'torn-tail';
    const first = damage[0] ?? torn;
    const note = examination.header.state === 'unsupported' ? examination.header.reason : null;
    this.#files.push(
      fileReport({
        name,
        kind,
        state,
        bytes,
        damage,
        formatVersion: examination.header.formatVersion,
        offset: first?.offset ?? null,
        reason: first?.reason ?? note ?? (isBlank(examination) ? 'it was never used' : null),
        recordCount: examination.recordCount,
        entryCount: found.entryCount,
        firstSequence: isSequenced ? (examination.firstOrdinal ?? null) : null,
        lastSequence: isSequenced ? (examination.lastOrdinal ?? null) : null,
        opening: opening(this.#ifOpened(found.action), {
          recordsReplayed: found.recordsReplayed,
          bytesCut: this.#options.look.store === undefined ? 0 : (torn?.bytesCut ?? 0),
        }),
      }),
    );
  }

  async #readLog(
    name: string,
    fileNumber: FileNumber,
    kind: 'wal' | 'manifest',
    check: Parameters<typeof examineLog>[2],
  ): Promise<LogFileEvidence | undefined> {
    const { view, directory } = this.#options;
    try {
      const handle = await view.open(`${directory}/${name}`, 'read');
      try {
        const examination = await examineLog(handle, kind, check);
        return { name, fileNumber, bytes: view.bytesOf(name), examination };
      } finally {
        await handle.close();
      }
    } catch (error) {
      await this.#addUnreadable(name, kind, error, undefined);
      return undefined;
    }
  }

  /** @param liveTable - Its number if the file is a table that the manifest names. */
  async #addUnreadable(name: string, kind: NumberedKind, error: unknown, liveTable?: FileNumber): Promise<void> {
    if (!(error instanceof FileSystemError)) throw error;
    if (!isNotFound(error)) {
      this.#files.push(unreadReport(name, kind, 'unreadable', error.message, this.#options.view.bytesOf(name)));
    } else if (liveTable !== undefined && (await this.#options.isTableStillNeeded(liveTable))) {
      this.#files.push(missing(name, kind));
    } else {
      this.#files.push(unreadReport(name, kind, 'vanished', 'it was removed while the directory was looked at'));
    }
  }

  /** Everything that is needed and not there. */
  #addMissing(): void {
    const { look } = this.#options;
    const there = new Set(this.#files.map(({ name }) => name));
    const needed: [string, NumberedKind][] = [];
    if (look.current !== undefined) needed.push([manifestFileName(look.current.manifestNumber), 'manifest']);
    if (look.state !== undefined) {
      for (const number of placeTables(look.state).keys()) needed.push([tableFileName(number), 'table']);
      const { oldestSegment, cleanClose } = look.state;
      const segments = new Set([oldestSegment, cleanClose?.segment ?? oldestSegment]);
      segments.delete(NO_SEGMENT);
      for (const segment of segments) needed.push([walFileName(segment), 'wal']);
    }
    for (const [name, kind] of needed) if (!there.has(name)) this.#files.push(missing(name, kind));
    const { refusal } = look;
    if (refusal?.file === CURRENT_FILE && !this.#names().includes(CURRENT_FILE)) {
      const damage = [{ offset: 0, reason: refusal.reason }];
      this.#files.push(fileReport({ name: CURRENT_FILE, kind: 'current', state: 'missing', damage }));
    }
  }

  /** In ascending order. */
  #numbersOf(kind: NumberedKind): readonly FileNumber[] {
    const numbers = this.#options.view.entries.flatMap((entry) => {
      const parsed = parseFileName(entry.name);
      return entry.kind === 'file' && parsed.kind === kind
        ? [(parsed as { readonly fileNumber: number }).fileNumber]
        : [];
    });
    return numbers.toSorted((a, b) => a - b);
  }

  /** Nothing here was ever part of a store: what there is was left by an attempt to create one. */
  get #isNoStore(): boolean {
    const { refusal, store } = this.#options.look;
    return refusal === undefined && store === undefined;
  }

  #names(): readonly string[] {
    return this.#options.view.entries.map(({ name }) => name);
  }

  #ifOpened(action: OpeningAction): OpeningAction {
    return this.#options.look.refusal === undefined ? action : 'none';
  }
}

function missing(name: string, kind: NumberedKind): RecoveredFile {
  return fileReport({
    name,
    kind,
    state: 'missing',
    damage: [{ offset: 0, reason: 'it is needed, and it is missing' }],
  });
}

function placeTables(state: StoreState | undefined): ReadonlyMap<FileNumber, PlacedTable> {
  const levels = state?.levels ?? [];
  return new Map(levels.flatMap((tables, level) => tables.map((meta) => [meta.fileNumber, { level, meta }] as const)));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
