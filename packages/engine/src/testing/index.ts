export { BytesFileSystem } from './decoders/bytes-file-system.ts';
export type { Decoder, SampleSource } from './decoders/decoder.ts';
export { engineDecoders } from './decoders/engine-decoders.ts';
export { describeCursor, describeRest, describeTableMeta } from './describe.ts';
export { describeBytes, describeEntry, parseEntries, parseEntry } from './lsm-notation.ts';
export { TEST_STORE_ID, writeTable, type WriteTableOptions } from './write-table.ts';
