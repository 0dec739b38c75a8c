/** Recovery plans made by hand: what pages and texts are tested on without a store. */

import type { Loss, PlanTable, RecoveredFile, RecoveryPlan, RecoveryReport, WayOut } from '@kayadb/engine';

const DIRECTORY = '/srv/kaya/data';

export function sampleTable(given: Partial<PlanTable> & Pick<PlanTable, 'file' | 'from' | 'to'>): PlanTable {
  return {
    bytes: 4_000_000,
    entryCount: 5000,
    firstSequence: 1,
    lastSequence: 20_000,
    isMissing: false,
    damage: [],
    ...given,
  };
}

export function sampleLoss(given: Partial<Loss> & Pick<Loss, 'kind' | 'file'>): Loss {
  return {
    offset: 64,
    bytes: 4104,
    reason: 'the checksum of the block does not match',
    level: null,
    entryCount: null,
    firstSequence: null,
    lastSequence: null,
    hasKeys: false,
    keys: null,
    ...given,
  };
}

export function sampleWayOut(given: Partial<WayOut> & Pick<WayOut, 'kind'>): WayOut {
  return {
    policy: given.kind === 'salvage' ? 'provable' : null,
    summary: 'It does what it says.',
    command: null,
    rowCount: null,
    lastSequence: null,
    losses: [],
    doubtfulCount: 0,
    doubtful: null,
    cautions: [],
    ...given,
  };
}

export function sampleFile(given: Partial<RecoveredFile> & Pick<RecoveredFile, 'name' | 'kind'>): RecoveredFile {
  const damage = given.damage ?? [];
  return {
    state: damage.length > 0 ? 'corrupt' : 'intact',
    formatVersion: 1,
    offset: damage[0]?.offset ?? null,
    reason: damage[0]?.reason ?? null,
    damage,
    bytes: 4_000_000,
    recordCount: null,
    entryCount: null,
    firstSequence: null,
    lastSequence: null,
    level: null,
    hasKeyRange: false,
    smallestKey: null,
    largestKey: null,
    opening: { action: 'none', recordsReplayed: 0, bytesCut: 0 },
    ...given,
  };
}

export function sampleReport(files: readonly RecoveredFile[], given: Partial<RecoveryReport> = {}): RecoveryReport {
  const damage = files
    .filter(({ state }) => state === 'corrupt' || state === 'missing')
    .flatMap((file) => file.damage.map(({ offset, reason }) => ({ file: file.name, offset, reason })));
  return {
    format: 1,
    directory: DIRECTORY,
    verdict: damage.length > 0 ? 'corrupt' : 'clean',
    live: false,
    lock: { state: 'free', liveness: null, pid: null, host: null, takenAt: null },
    storeId: 'f9d511fe41f945f50e246321597b653d',
    manifest: 'MANIFEST-000002',
    newestWholeManifest: 'MANIFEST-000002',
    opening: {
      outcome: 'opens',
      code: null,
      file: null,
      offset: null,
      reason: null,
      recordsReplayed: 12,
      walTruncatedBytes: 0,
      filesRemoved: [],
      lockTakeover: false,
    },
    damage,
    files,
    lastSequence: 20_000,
    lastLsn: 14_310_376,
    cleanClose: false,
    log: 'own',
    durableIndex: null,
    rangeDeleteCount: 0,
    lookCount: 1,
    durationUs: 1,
    warnings: [],
    manifest_records_replayed: 3,
    live_sstable_count: 4,
    wal_records_replayed: 12,
    wal_truncated_bytes: 0,
    tmp_files_removed: 0,
    last_lsn: 14_310_376,
    last_sequence: 20_000,
    records_replayed: 12,
    ...given,
  };
}

function samplePlan(given: Pick<RecoveryPlan, 'report' | 'levels' | 'waysOut'> & Partial<RecoveryPlan>): RecoveryPlan {
  return { format: 1, basis: 'current', manifest: 'MANIFEST-000002', ...given };
}

const DESCRIPTION = [
  sampleFile({ name: 'CURRENT', kind: 'current', bytes: 67 }),
  sampleFile({ name: 'MANIFEST-000002', kind: 'manifest', bytes: 840, recordCount: 9 }),
];

const LOG = sampleFile({
  name: '000012.wal',
  kind: 'wal',
  recordCount: 12,
  firstSequence: 19_989,
  lastSequence: 20_000,
});

const RESTORE = sampleWayOut({ kind: 'restore', summary: 'If there is a backup, make a store of it.' });

function tableFile({ file, bytes, entryCount, damage, isMissing }: PlanTable, level: number): RecoveredFile {
  const missing = [{ offset: 0, reason: 'it is needed, and it is missing' }];
  return sampleFile({
    name: file,
    kind: 'table',
    level,
    bytes: isMissing ? 0 : bytes,
    entryCount,
    firstSequence: 1,
    lastSequence: 20_000,
    damage: isMissing ? missing : damage.map(({ offset, reason }) => ({ offset, reason })),
    ...(isMissing && { state: 'missing' }),
  });
}

/** Everything verifies. */
export function wholePlan(): RecoveryPlan {
  const levels = [
    [
      sampleTable({ file: '000011.sst', from: 0.05, to: 0.9 }),
      sampleTable({ file: '000010.sst', from: 0.2, to: 0.98 }),
    ],
    [
      sampleTable({ file: '000005.sst', from: 0, to: 0.3 }),
      sampleTable({ file: '000006.sst', from: 0.31, to: 0.66 }),
      sampleTable({ file: '000007.sst', from: 0.67, to: 1 }),
    ],
  ];
  const files = [
    ...levels.flatMap((tables, level) => tables.map((table) => tableFile(table, level))),
    LOG,
    ...DESCRIPTION,
  ];
  const open = sampleWayOut({
    kind: 'open',
    summary: 'Opening the store replays its log and loses nothing.',
    rowCount: 20_000,
    lastSequence: 20_000,
  });
  return samplePlan({ report: sampleReport(files), levels, waysOut: [open] });
}

/** One block of one table is damaged, and one table is missing. */
export function oneBlockPlan(): RecoveryPlan {
  const damage = [{ offset: 1_204_000, bytes: 16_392, reason: 'data: the checksum of the block does not match' }];
  const levels = [
    [sampleTable({ file: '000011.sst', from: 0.05, to: 0.9 })],
    [
      sampleTable({ file: '000005.sst', from: 0, to: 0.3 }),
      sampleTable({ file: '000006.sst', from: 0.31, to: 0.66, damage }),
      sampleTable({ file: '000007.sst', from: 0.67, to: 0.8, isMissing: true, bytes: 0, entryCount: null }),
      sampleTable({ file: '000008.sst', from: 0.81, to: 1 }),
    ],
  ];
  const files = [
    ...levels.flatMap((tables, level) => tables.map((table) => tableFile(table, level))),
    LOG,
    ...DESCRIPTION,
  ];
  const losses = [
    sampleLoss({
      kind: 'block',
      file: '000006.sst',
      offset: 1_204_000,
      bytes: 16_392,
      level: 1,
      entryCount: 24,
      firstSequence: 1,
      lastSequence: 15_000,
      hasKeys: true,
    }),
    sampleLoss({
      kind: 'table',
      file: '000007.sst',
      offset: 0,
      bytes: 4_000_000,
      level: 1,
      entryCount: 5000,
      reason: 'it is missing',
    }),
  ];
  const provable = sampleWayOut({
    kind: 'salvage',
    summary: 'Writes the newest state that can be read into a new store, without keys that may be out of date.',
    rowCount: 14_976,
    lastSequence: 20_000,
    losses,
    doubtfulCount: 12,
    cautions: ['The new store has an id of its own.'],
  });
  const found = { ...provable, policy: 'newest-found', rowCount: 14_988 } as const;
  return samplePlan({ report: sampleReport(files), levels, waysOut: [provable, found, RESTORE] });
}

/** CURRENT is gone; a manifest is whole. */
export function currentLostPlan(): RecoveryPlan {
  const { levels } = wholePlan();
  const lost = { offset: 0, reason: 'there is no CURRENT, though there are files of a store' };
  const files = [
    ...levels.flatMap((tables, level) => tables.map((table) => tableFile(table, level))),
    LOG,
    sampleFile({ name: 'CURRENT', kind: 'current', bytes: 0, state: 'missing', damage: [lost] }),
    DESCRIPTION[1]!,
  ];
  const opening = { outcome: 'refused', code: 'KAYA_CORRUPTION', file: 'CURRENT', ...lost } as const;
  const report = sampleReport(files, { manifest: null });
  return samplePlan({
    report: { ...report, opening: { ...report.opening, ...opening } },
    basis: 'other-manifest',
    levels,
    waysOut: [
      sampleWayOut({
        kind: 'salvage',
        summary: 'Goes by the manifest that is whole.',
        rowCount: 20_000,
        lastSequence: 20_000,
      }),
      RESTORE,
    ],
  });
}

/** The log breaks off in the second of four segments; the third is missing. */
export function logGapPlan(): RecoveryPlan {
  const { levels } = wholePlan();
  const gap = { offset: 9000, reason: 'the record CRC does not match' };
  const segments = [
    sampleFile({ name: '000012.wal', kind: 'wal', recordCount: 400, bytes: 33_554_432 }),
    sampleFile({ name: '000013.wal', kind: 'wal', recordCount: 380, bytes: 33_554_432, damage: [gap] }),
    sampleFile({
      name: '000014.wal',
      kind: 'wal',
      state: 'missing',
      bytes: 0,
      damage: [{ offset: 0, reason: 'it is needed, and it is missing' }],
    }),
    sampleFile({ name: '000015.wal', kind: 'wal', recordCount: 11, bytes: 33_554_432 }),
  ];
  const files = [
    ...levels.flatMap((tables, level) => tables.map((table) => tableFile(table, level))),
    ...segments,
    ...DESCRIPTION,
  ];
  const losses = [
    sampleLoss({
      kind: 'log',
      file: '000013.wal',
      offset: 9000,
      bytes: 2400,
      firstSequence: 19_600,
      reason: gap.reason,
    }),
    sampleLoss({
      kind: 'log',
      file: '000014.wal',
      offset: 0,
      bytes: 0,
      firstSequence: 19_700,
      reason: 'it is missing',
    }),
  ];
  const salvage = sampleWayOut({ kind: 'salvage', rowCount: 19_599, lastSequence: 19_599, losses });
  return samplePlan({ report: sampleReport(files), levels, waysOut: [salvage, RESTORE] });
}

function damageAt(i: number): PlanTable['damage'] {
  if (i % 17 !== 3) return [];
  return [{ offset: 1000 * (i + 1), bytes: 4104, reason: 'data: the checksum of the block does not match' }];
}

function spread(count: number, first: number): readonly PlanTable[] {
  return Array.from({ length: count }, (_, i) => {
    const file = `${String(first + i).padStart(6, '0')}.sst`;
    return sampleTable({ file, from: i / count, to: (i + 0.9) / count, damage: damageAt(i) });
  });
}

/** Hundreds of tables, and damage in many places. */
export function manyTablesPlan(): RecoveryPlan {
  const overlapping = Array.from({ length: 40 }, (_, i) =>
    sampleTable({
      file: `${String(900 + i).padStart(6, '0')}.sst`,
      from: (i % 7) / 40,
      to: 1 - (i % 5) / 30,
      damage: damageAt(i),
    }),
  );
  const levels = [overlapping, spread(12, 100), spread(90, 200), spread(400, 300)];
  const files = [
    ...levels.flatMap((tables, level) => tables.map((table) => tableFile(table, level))),
    LOG,
    ...DESCRIPTION,
  ];
  const losses = levels.flatMap((tables, level) =>
    tables.flatMap(({ file, damage }) =>
      damage.map(({ offset, bytes }) =>
        sampleLoss({ kind: 'block', file, offset, bytes, level, entryCount: 24, hasKeys: true }),
      ),
    ),
  );
  const salvage = sampleWayOut({ kind: 'salvage', rowCount: 2_400_000, lastSequence: 20_000, losses });
  return samplePlan({ report: sampleReport(files), levels, waysOut: [salvage, RESTORE] });
}
