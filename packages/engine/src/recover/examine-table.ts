/**
 * Reads one table by itself and finds everything in it that does not verify, going on behind each damage as far as the
 * rest can still be located. Opening and scrubbing stop at the first; they use table-frame.ts and verify-table.ts.
 * Format: docs/format/sstable.md.
 */

import { crc32c, DecodeError, equalBytes, readU32 } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import { CorruptionError, EngineError } from '../errors.ts';
import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import { BlockReader } from '../sstable/block-reader.ts';
import { sharedZstd } from '../sstable/compression.ts';
import { Filter } from '../sstable/filter.ts';
import {
  BLOCK_HANDLE_BYTES,
  BLOCK_TRAILER_BYTES,
  blockCrc,
  blockEnd,
  type BlockHandle,
  decodeBlockHandle,
  decodeFooter,
  type Footer,
  FOOTER_BYTES,
  FOOTER_CRC_AT,
} from '../sstable/sstable-format.ts';
import { type TableIdentity, unpackBlock } from '../sstable/stored-block.ts';
import { decodeProperties, type TableProperties } from '../sstable/table-properties.ts';
import { type HeaderEvidence, readHeaderEvidence } from './file-header-evidence.ts';
import type { FileDamage } from './recovery-report.ts';

export type TableSection = 'header' | 'data' | 'filter' | 'properties' | 'index' | 'footer';

/** One structure of the file, and whether it verifies. */
export interface ExaminedSection {
  readonly section: TableSection;
  readonly offset: number;
  /** As stored, the trailer included. */
  readonly bytes: number;
  /** After decompression; `undefined` for header and footer. */
  readonly rawBytes: number | undefined;
  /** What is wrong; `undefined` when it verifies. */
  readonly fault: string | undefined;
  /** It cannot be read by this version, here, and may well be in order. */
  readonly isUnsupported: boolean;
  /** Of a data block that verifies. */
  readonly block: BlockReader | undefined;
  /** Of filter, properties and index: what is in them, decompressed, even if it is wrong; `undefined` when it cannot be had. */
  readonly raw: Uint8Array | undefined;
  /** As it stands behind the block, and over the bytes that are there; `undefined` when the block is cut short. */
  readonly crcs: SectionCrcs | undefined;
}

export interface SectionCrcs {
  readonly stored: number;
  readonly computed: number;
}

export interface TableExamination {
  readonly header: HeaderEvidence;
  /** `undefined` when they cannot be read. */
  readonly footer: Footer | undefined;
  readonly properties: TableProperties | undefined;
  /** Puts and deletes in the data blocks that verify. */
  readonly entryCount: number;
  /** In the order of offsets. */
  readonly damage: readonly FileDamage[];
  /** Why something of it cannot be read here though nothing is damaged; `undefined` when all of it was read. */
  readonly unsupported: string | undefined;
}

/**
 * Examines the table behind `handle`.
 *
 * @param file - Name for messages.
 * @param visit - Gets each section that can be located: header, data blocks, filter, properties, index, footer.
 * @throws FileSystemError only.
 */
export async function examineTable(
  handle: FileHandle,
  file: string,
  visit: (section: ExaminedSection) => void = () => undefined,
): Promise<TableExamination> {
  return new Examiner(handle, file, visit).run();
}

class Examiner {
  readonly #handle: FileHandle;
  readonly #file: string;
  readonly #visit: (section: ExaminedSection) => void;
  readonly #damage: FileDamage[] = [];
  /** By the offset of the structure. */
  readonly #crcs = new Map<number, SectionCrcs>();
  #unsupported: string | undefined;
  #entryCount = 0;

  constructor(handle: FileHandle, file: string, visit: (section: ExaminedSection) => void) {
    this.#handle = handle;
    this.#file = file;
    this.#visit = visit;
  }

  async run(): Promise<TableExamination> {
    const header = await readHeaderEvidence(this.#handle, 'table');
    if (header.state === 'unsupported') this.#unsupported = header.reason;
    const fault = header.state === 'valid' ? undefined : header.reason;
    const [stored, computed = stored] = header.seeds;
    if (stored !== undefined) this.#crcs.set(0, { stored, computed: computed! });
    this.#report('header', { offset: 0, storedBytes: FILE_HEADER_BYTES }, fault);
    const found = header.state === 'unsupported' ? undefined : await this.#readFooter(header);
    const properties = found === undefined ? undefined : await this.#examineBlocks(found.footer, found.seed);
    return {
      header,
      footer: found?.footer,
      properties,
      entryCount: this.#entryCount,
      damage: this.#damage.toSorted((a, b) => a.offset - b.offset),
      unsupported: this.#unsupported,
    };
  }

  /** Tries each seed that the header may have had, so that a damaged header does not hide the rest. */
  async #readFooter(header: HeaderEvidence): Promise<{ readonly footer: Footer; readonly seed: number } | undefined> {
    const footerAt = Math.max(0, (await this.#handle.size()) - FOOTER_BYTES);
    const bytes = await this.#read(footerAt, FOOTER_BYTES);
    let reason = 'there is no header to check it with';
    for (const seed of header.seeds) {
      if (bytes.length === FOOTER_BYTES) {
        const computed = crc32c(bytes, seed, 0, FOOTER_CRC_AT);
        this.#crcs.set(footerAt, { stored: readU32(bytes, FOOTER_CRC_AT), computed });
      }
      try {
        const footer = decodeFooter(bytes, seed);
        const fault = isJoined(footer, footerAt) ? undefined : 'the blocks it names do not follow each other';
        this.#report('footer', { offset: footerAt, storedBytes: FOOTER_BYTES }, fault);
        return { footer, seed };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        reason = error.message;
      }
    }
    this.#report('footer', { offset: footerAt, storedBytes: FOOTER_BYTES }, reason);
    return undefined;
  }

  async #examineBlocks(footer: Footer, seed: number): Promise<TableProperties | undefined> {
    const identity: TableIdentity = { file: this.#file, seed, zstd: sharedZstd };
    const indexRaw = await this.#unpack(footer.index, identity);
    const index = decode(indexRaw, (raw) => new BlockReader(raw, this.#file, footer.index.offset));
    if (typeof index !== 'string') await this.#examineData(index, footer, identity);
    const filterRaw = await this.#unpack(footer.filter, identity);
    const filter = decode(filterRaw, (raw) => new Filter(raw));
    this.#report('filter', footer.filter, typeof filter === 'string' ? filter : undefined, { raw: filterRaw });
    const propertiesRaw = await this.#unpack(footer.properties, identity);
    const properties = decode(propertiesRaw, decodeProperties);
    const propertiesFault = typeof properties === 'string' ? properties : undefined;
    this.#report('properties', footer.properties, propertiesFault, { raw: propertiesRaw });
    this.#report('index', footer.index, typeof index === 'string' ? index : undefined, { raw: indexRaw });
    return typeof properties === 'string' ? undefined : properties;
  }

  async #examineData(index: BlockReader, footer: Footer, identity: TableIdentity): Promise<void> {
    let expected = FILE_HEADER_BYTES;
    for (let i = 0; i < index.count; i++) {
      const handle = indexEntry(index, i);
      if (handle?.offset !== expected || blockEnd(handle) > footer.filter.offset) {
        this.#damage.push({ offset: footer.index.offset, reason: `index entry ${i} does not name the next block` });
        return;
      }
      expected = blockEnd(handle);
      const raw = await this.#unpack(handle, identity);
      const block = decode(raw, (bytes) => new BlockReader(bytes, this.#file, handle.offset));
      if (typeof block !== 'string') this.#entryCount += block.count;
      const fault = typeof block === 'string' ? block : (block.findDisagreement() ?? keyFault(index, i, block));
      this.#report('data', handle, fault, typeof block === 'string' ? {} : { block });
    }
    if (expected !== footer.filter.offset) {
      this.#damage.push({ offset: footer.index.offset, reason: 'the index leaves out data blocks' });
    }
  }

  /** @returns The raw block, or what is wrong with it. */
  async #unpack(handle: BlockHandle, identity: TableIdentity): Promise<Uint8Array | string> {
    const fileBytes = await this.#handle.size();
    if (blockEnd(handle) > fileBytes) return 'the block is cut short';
    const stored = await this.#read(handle.offset, handle.storedBytes + BLOCK_TRAILER_BYTES);
    const crcAt = handle.storedBytes + BLOCK_TRAILER_BYTES - 4;
    if (stored.length === crcAt + 4) {
      const computed = blockCrc(identity.seed, handle.offset, stored, 0, crcAt);
      this.#crcs.set(handle.offset, { stored: readU32(stored, crcAt), computed });
    }
    try {
      return unpackBlock(stored, 0, handle, identity);
    } catch (error) {
      if (error instanceof CorruptionError) return plainReason(error);
      if (!(error instanceof EngineError)) throw error;
      this.#unsupported ??= error.message;
      return error.message;
    }
  }

  async #read(offset: number, bytes: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(bytes);
    return buffer.subarray(0, await this.#handle.read(buffer, offset));
  }

  #report(
    section: TableSection,
    { offset, storedBytes, rawBytes }: Pick<BlockHandle, 'offset' | 'storedBytes'> & Partial<BlockHandle>,
    fault: string | undefined,
    content: { readonly block?: BlockReader; readonly raw?: Uint8Array | string } = {},
  ): void {
    if (fault !== undefined && fault !== this.#unsupported)
      this.#damage.push({ offset, reason: `${section}: ${fault}` });
    const bytes = rawBytes === undefined ? storedBytes : storedBytes + BLOCK_TRAILER_BYTES;
    const isUnsupported = fault !== undefined && fault === this.#unsupported;
    this.#visit({
      section,
      offset,
      bytes,
      rawBytes,
      fault,
      isUnsupported,
      block: fault === undefined ? content.block : undefined,
      raw: typeof content.raw === 'string' ? undefined : content.raw,
      crcs: this.#crcs.get(offset),
    });
  }
}

/** The words of a CorruptionError without the file and offset in front, which reports give in fields of their own. */
export function plainReason(error: CorruptionError): string {
  const prefix = `${error.file} is damaged at offset ${error.offset}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}

function isJoined({ filter, properties, index }: Footer, footerAt: number): boolean {
  return (
    filter.offset > FILE_HEADER_BYTES &&
    blockEnd(filter) === properties.offset &&
    blockEnd(properties) === index.offset &&
    blockEnd(index) === footerAt
  );
}

/** @returns What `read` makes of the block, or what is wrong. */
function decode<Decoded>(raw: Uint8Array | string, read: (raw: Uint8Array) => Decoded): Decoded | string {
  if (typeof raw === 'string') return raw;
  try {
    return read(raw);
  } catch (error) {
    if (error instanceof CorruptionError) return plainReason(error);
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

/** What entry `i` of an index names; `undefined` when it names no block. */
export function indexEntry(index: BlockReader, i: number): BlockHandle | undefined {
  const { value } = index.entry(i);
  if (value.length !== BLOCK_HANDLE_BYTES) return undefined;
  const handle = decode(value, (bytes) => decodeBlockHandle(bytes, 0));
  return typeof handle === 'string' ? undefined : handle;
}

function keyFault(index: BlockReader, i: number, block: BlockReader): string | undefined {
  const isLast = equalBytes(index.entry(i).key, block.entry(block.count - 1).key);
  return isLast ? undefined : `index entry ${i} is not its last key`;
}
