/** Reads a whole table back and checks all that can be checked: for scrubbing, backups and forensics. */

import { equalBytes } from '@kayadb/codec';

import { CorruptionError } from '../errors.ts';
import type { BlockReader } from './block-reader.ts';
import { EntryTally } from './entry-tally.ts';
import { type Filter, hashKey } from './filter.ts';
import type { TableBlocks } from './table-blocks.ts';
import type { TableFrame } from './table-frame.ts';
import { encodeProperties } from './table-properties.ts';

/** Told of each data block found whole. A promise is waited for, so that a scrub can take its time. */
export type OnBlock = (block: VerifiedBlock) => Promise<void> | void;

export interface VerifiedBlock {
  /** From the start of the file. */
  readonly offset: number;
  /** As stored, without the trailer. */
  readonly storedBytes: number;
  readonly entryCount: number;
}

const READ_BYTES = 128 * 1024;

/**
 * Checks every data block's checksum and layout, the order of entries within and across blocks, and that index, filter
 * and properties say what the entries say. Reads past the cache.
 *
 * @throws CorruptionError for the first thing found wrong.
 */
export async function verifyTable(frame: TableFrame, blocks: TableBlocks, onBlock?: OnBlock): Promise<void> {
  const { footer, identity, index } = frame;
  const disagreement = index.findDisagreement();
  if (disagreement !== undefined) throw new CorruptionError(identity.file, footer.index.offset, disagreement);
  const tally = new EntryTally();
  for (let ordinal = 0; ordinal < blocks.count;) {
    const run = await blocks.readRun(ordinal, ordinal + blocks.countWithin(ordinal, 1, READ_BYTES));
    for (; ordinal < run.endOrdinal; ordinal++) {
      const block = blocks.openFromRun(run, ordinal);
      const { offset, storedBytes } = blocks.handleAt(ordinal);
      const fault = findFault(block, frame.filter, tally);
      if (fault !== undefined) throw new CorruptionError(identity.file, offset, fault);
      if (!equalBytes(index.entry(ordinal).key, tally.lastKey)) {
        throw new CorruptionError(
          identity.file,
          footer.index.offset,
          `index entry ${ordinal} is not its block's last key`,
        );
      }
      await onBlock?.({ offset, storedBytes, entryCount: block.count });
    }
  }
  const properties = tally.properties(blocks.count);
  if (!equalBytes(encodeProperties(properties), encodeProperties(frame.properties))) {
    throw new CorruptionError(identity.file, footer.properties.offset, 'the properties are not those of the entries');
  }
}

function findFault(block: BlockReader, filter: Filter, tally: EntryTally): string | undefined {
  const disagreement = block.findDisagreement();
  if (disagreement !== undefined) return disagreement;
  for (let i = 0; i < block.count; i++) {
    const entry = block.entry(i);
    const order = tally.order(entry.key, entry.sequence);
    if (order === -1) return `entry ${i} is out of order`;
    if (order === 1 && !filter.mayContain(hashKey(entry.key))) return `the filter does not know the key of entry ${i}`;
    tally.add(entry, order);
  }
  return undefined;
}
