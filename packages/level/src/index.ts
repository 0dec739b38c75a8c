export { type KayaBatch, KayaLevel, type RangeKeyOptions } from './kaya-level.ts';
export { LevelError, type LevelErrorCode } from './level-error.ts';
export type { KayaEngineOptions, KayaLevelOptions, KayaOpenOptions, SyncOption } from './level-options.ts';
