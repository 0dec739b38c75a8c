/**
 * Everything that a plan and a salvage are made from, of one moment: the report, the basis, the log and the tables. Only reads.
 *
 * Invariant: walking it twice gives the same rows, since files are held open and nothing in the directory is written again once it is
 * there.
 */

import type { FileSystem } from '@kayadb/vfs';

import { EngineError } from '../../errors.ts';
import { FILE_HEADER_BYTES } from '../../files/file-header.ts';
import { parseFileName } from '../../files/file-names.ts';
import { RangeDeleteSet } from '../../range-delete/range-delete-set.ts';
import { checkAborted } from '../../snapshot/check-aborted.ts';
import { EvidenceView } from '../evidence-view.ts';
import { inspectStore, type InspectStoreOptions } from '../inspect-store.ts';
import type { RecoveryReport } from '../recovery-report.ts';
import { lookAtStore } from '../store-look.ts';
import { ALL_KEYS, type DamagedPlace } from './damaged-place.ts';
import { CursorSource, type EntrySource, TableSource } from './entry-source.ts';
import { groupIntoRuns } from './group-into-runs.ts';
import { type LogEvidence, rangeDeletesOf, readLogEvidence } from './log-evidence.ts';
import { type PickedRow, pickRows } from './pick-rows.ts';
import type { RecoveryProgress } from './recovery-plan.ts';
import { findBasis, type StoreBasis } from './store-basis.ts';
import { StoreMoved, type SurveyedTable, TableSurvey } from './survey-tables.ts';

export interface PlanOptions extends Omit<InspectStoreOptions, 'onProgress'> {
  /** Ends the work early. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RecoveryProgress) => void;
}

/** Bound: how often a directory in which tables come and go is taken in. */
const MAX_ATTEMPTS = 8;
/** Bound: how often each time a store that takes a step meanwhile is captured. */
const MAX_CAPTURES = 32;

export class StoreEvidence {
  readonly report: RecoveryReport;
  readonly basis: StoreBasis;
  readonly log: LogEvidence;
  /** Damaged places of the tables that count, and what no manifest says. */
  readonly places: readonly DamagedPlace[];
  readonly #survey: TableSurvey;
  readonly #view: EvidenceView;

  private constructor(
    report: RecoveryReport,
    basis: StoreBasis,
    log: LogEvidence,
    survey: TableSurvey,
    view: EvidenceView,
  ) {
    this.report = report;
    this.basis = basis;
    this.log = log;
    this.#survey = survey;
    this.#view = view;
    const places = survey.tables.flatMap((table) => table.places);
    this.places = basis.kind === 'tables' ? [...places, lostRangeDeletes(basis, report)] : places;
  }

  /**
   * Reads the store in `directory`. End with `close`.
   *
   * @throws EngineError KAYA_NOTHING_TO_SALVAGE when there is no data of a store; KAYA_ABORTED.
   * @throws FileSystemError when the directory is missing or cannot be listed.
   */
  static async gather(fs: FileSystem, directory: string, options: PlanOptions): Promise<StoreEvidence> {
    const { onProgress, ...rest } = options;
    for (let attempt = 1; ; attempt++) {
      const report = await inspectStore(fs, directory, {
        ...rest,
        onProgress: ({ bytes, totalBytes }) => onProgress?.({ phase: 'read', bytes, totalBytes }),
      });
      refuseNothing(report);
      const view = await capture(fs, directory);
      let survey: TableSurvey | undefined;
      try {
        const look = await lookAtStore(view, directory);
        const basis = await findBasis(view, directory, look);
        survey = new TableSurvey(view, directory, basis, {
          sound: soundTables(report),
          isLast: attempt === MAX_ATTEMPTS,
        });
        await survey.run(() => checkAborted(options.signal, 'the plan'));
        const log = await readLogEvidence(view, directory, basis);
        return new StoreEvidence(report, basis, log, survey, view);
      } catch (error) {
        await survey?.close();
        await view.close();
        if (!(error instanceof StoreMoved)) throw error;
      }
    }
  }

  get tables(): readonly SurveyedTable[] {
    return this.#survey.tables;
  }

  /**
   * Walks the rows of both policies, in the order of keys.
   *
   * @param onBytes - Told of bytes of tables as they are read.
   */
  async walk(
    visit: (row: PickedRow) => Promise<void> | undefined,
    onBytes: (bytes: number) => void = () => undefined,
  ): Promise<void> {
    const { prefix, behind, lastSequence } = this.log;
    const fromState = this.basis.state?.rangeDeletes ?? [];
    const proved = [...fromState, ...rangeDeletesOf(prefix)];
    await pickRows(
      {
        sources: this.#sources(onBytes),
        places: this.places,
        lastSequence,
        rangeDeletes: new RangeDeleteSet(proved),
        allRangeDeletes: new RangeDeleteSet([...proved, ...rangeDeletesOf(behind)]),
      },
      visit,
    );
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#survey.close();
    await this.#view.close();
  }

  #sources(onBytes: (bytes: number) => void): readonly EntrySource[] {
    const sources: EntrySource[] = [];
    for (const memtable of this.log.prefix) {
      sources.push(new CursorSource(memtable.cursor('forward'), 'the log', { rank: -1, isProven: true }));
    }
    for (const memtable of this.log.behind) {
      sources.push(new CursorSource(memtable.cursor('forward'), 'the log', { rank: -1, isProven: false }));
    }
    for (const run of groupIntoRuns(this.tables.filter(({ isReadable }) => isReadable))) {
      const { rank, isNamed } = run[0]!;
      const tables = run.map((table) => ({ file: table.file, open: () => this.#survey.open(table), onBytes }));
      sources.push(new TableSource(tables, { rank, isProven: isNamed }));
    }
    return sources;
  }
}

/** Of one moment, unless the store takes one step after the other: a manifest that is newer than the list of files misses tables. */
async function capture(fs: FileSystem, directory: string): Promise<EvidenceView> {
  for (let i = 1; i < MAX_CAPTURES; i++) {
    const view = await EvidenceView.capture(fs, directory);
    if (view !== undefined) return view;
  }
  return (await EvidenceView.capture(fs, directory, { evenIfMoving: true }))!;
}

/** Tables in which nothing was found damaged, read whole. */
function soundTables({ files }: RecoveryReport): ReadonlySet<string> {
  const sound = files.filter(
    ({ kind, state, damage }) => kind === 'table' && (state === 'intact' || state === 'orphan') && damage.length === 0,
  );
  return new Set(sound.map(({ name }) => name));
}

function refuseNothing({ files, directory }: RecoveryReport): void {
  const holdsData = files.some(({ name, kind, state, bytes }) => {
    if (state === 'missing') return false;
    if (parseFileName(name).kind === 'wal') return bytes > FILE_HEADER_BYTES;
    return kind === 'current' || kind === 'manifest' || kind === 'table';
  });
  if (holdsData) return;
  throw new EngineError(
    'KAYA_NOTHING_TO_SALVAGE',
    `${directory} holds no file of a store, so there is nothing to bring back; name the data directory`,
  );
}

/** Without a manifest nobody knows which range deletes were in force. */
function lostRangeDeletes({ damage }: StoreBasis, { manifest }: RecoveryReport): DamagedPlace {
  return {
    kind: 'range-deletes',
    file: damage?.file ?? manifest ?? 'CURRENT',
    offset: 0,
    bytes: 0,
    reason: 'no manifest says which range deletes were in force, nor which tables were live',
    level: null,
    rank: 0,
    entryCount: null,
    firstSequence: null,
    lastSequence: null,
    bounds: ALL_KEYS,
  };
}
