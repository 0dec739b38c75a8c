export { DirectoryLockedError, FileSystemError } from '@kayadb/vfs';

export { inspectBackup, type BackupDamage, type BackupReport } from './backup/inspect-backup.ts';
export type { OfflineBackupOptions } from './backup/read-backup.ts';
export { restoreBackup } from './backup/restore-backup.ts';
export { verifyBackup } from './backup/verify-backup.ts';
export { CorruptionError, EngineError, type CorruptionErrorCode, type EngineErrorCode } from './errors.ts';
export type { SequenceNumber } from './key/internal-key.ts';
export { MAX_BATCH_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES } from './limits.ts';
export { openEngine } from './open.ts';
export type { EngineOptions } from './options.ts';
export type {
  BackupListInspection,
  ChecksumState,
  CurrentInspection,
  FileInspection,
  InspectableKind,
  InspectedBackupFile,
  InspectedChecksums,
  InspectedEdit,
  InspectedFilter,
  InspectedGap,
  InspectedHeader,
  InspectedIndexEntry,
  InspectedOperation,
  InspectedProperties,
  InspectedSection,
  InspectedTableEntry,
  InspectedWalRecord,
  LockInspection,
  ManifestInspection,
  ReserveInspection,
  StrangeFile,
  TableInspection,
  UnreadableStretch,
  WalInspection,
} from './recover/file-inspection.ts';
export { inspectFile, type InspectFileOptions } from './recover/inspect-file.ts';
export { inspectStore, type InspectStoreOptions } from './recover/inspect-store.ts';
export type { InspectProgress } from './recover/read-meter.ts';
export { planRecovery, type PlanRecoveryOptions } from './recover/plan/plan-recovery.ts';
export type {
  DoubtfulKey,
  Loss,
  LossKind,
  LostKeys,
  PlanDamage,
  PlanTable,
  RecoveryPlan,
  RecoveryProgress,
  SalvagePolicy,
  SalvageReport,
  WayOut,
  WayOutKind,
} from './recover/plan/recovery-plan.ts';
export { salvageStore, type SalvageOptions } from './recover/salvage/salvage-store.ts';
export type {
  FileDamage,
  FileOpening,
  OpeningAction,
  OpeningForecast,
  RecoveredFile,
  RecoveredFileKind,
  RecoveredFileState,
  RecoveredLock,
  RecoveryReport,
  RecoveryVerdict,
  StoreDamage,
} from './recover/recovery-report.ts';
export type { ScrubDamage, ScrubPass } from './scrub/scrub-result.ts';
export type { DiskState } from './space/disk-state.ts';
export type {
  BackupOptions,
  BatchOperation,
  BytesLike,
  CheckpointInfo,
  CompareResult,
  Condition,
  Decoded,
  Durability,
  Encoding,
  Engine,
  EngineEvent,
  EngineStats,
  KeyRange,
  KeyValue,
  ReadOptions,
  Row,
  Scan,
  ScanOptions,
  Snapshot,
  VerifyOptions,
  VerifyReport,
  WriteOptions,
  WriteResult,
} from './types.ts';
