/**
 * Entries in a message. Their indexes are not sent and their terms only as differences, so a list that leaves out an index, or whose terms
 * go back, cannot be written down. Format: docs/format/raft-messages.md, "Entries".
 */

import { assert, type ByteReader, type ByteWriter, DecodeError } from '@kayadb/codec';

import { decodeConfigChange } from '../core/config-change-encoding.ts';
import type { Entry, EntryKind, LogIndex, Term } from '../core/types.ts';
import { ENTRY_KIND, MAX_ENTRY_BYTES, MAX_MESSAGE_ENTRIES } from './frame-format.ts';

const COUNT_BYTES = 4;
/** By their numbers. */
const KINDS = Object.keys(ENTRY_KIND) as EntryKind[];

/** Where a list follows on. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** Size of a list that follows on `previous`; without it, of entries that have neither index nor term yet. */
export function entryListBytes(entries: readonly Entry[], previous: LogPosition | undefined): number {
  let bytes = COUNT_BYTES;
  let lastTerm = previous?.term;
  for (const { term, data } of entries) {
    if (lastTerm !== undefined) {
      bytes += varintBytes(term - lastTerm);
      lastTerm = term;
    }
    bytes += 1 + varintBytes(data.length) + data.length;
  }
  return bytes;
}

/**
 * Requires: indexes that follow on `previous`, and terms that do not go back.
 *
 * @throws RangeError for more or larger entries than a message may have.
 */
export function writeEntryList(writer: ByteWriter, entries: readonly Entry[], previous: LogPosition | undefined): void {
  if (entries.length > MAX_MESSAGE_ENTRIES) {
    throw new RangeError(`a message has at most ${MAX_MESSAGE_ENTRIES} entries, this one ${entries.length}`);
  }
  writer.u32(entries.length);
  let lastIndex = previous?.index ?? 0;
  let lastTerm = previous?.term ?? 0;
  for (const { index, term, kind, data } of entries) {
    if (data.length > MAX_ENTRY_BYTES) {
      throw new RangeError(`an entry has at most ${MAX_ENTRY_BYTES} bytes, this one ${data.length}`);
    }
    writer.u8(ENTRY_KIND[kind]);
    if (previous !== undefined) {
      assert(index === lastIndex + 1 && term >= lastTerm, 'entries follow on each other');
      writer.varint(term - lastTerm);
      lastIndex = index;
      lastTerm = term;
    }
    writer.varint(data.length).bytes(data);
  }
}

/**
 * The data are views of the reader's bytes.
 *
 * @param previous - `undefined` for entries that have neither index nor term: both are 0.
 */
export function readEntryList(reader: ByteReader, previous: LogPosition | undefined): readonly Entry[] {
  const at = reader.offset;
  const count = reader.u32('entry count');
  if (count > MAX_MESSAGE_ENTRIES) throw new DecodeError(`a message has ${count} entries`, at);
  if (previous !== undefined && !Number.isSafeInteger(previous.index + count)) {
    throw new DecodeError('an index is not below 2^53', at);
  }
  const entries: Entry[] = [];
  let term = previous?.term ?? 0;
  for (let i = 1; i <= count; i++) {
    const kind = readKind(reader);
    if (previous !== undefined) term = readTerm(reader, term);
    const length = reader.varint('entry length');
    if (length > MAX_ENTRY_BYTES) throw new DecodeError(`an entry of ${length} bytes`, reader.offset);
    const index = previous === undefined ? 0 : previous.index + i;
    const data = reader.bytes(length, 'entry');
    // A change that nobody can read would stop every node that applies it.
    if (kind !== 'normal') decodeConfigChange(kind, data);
    entries.push({ term, index, kind, data });
  }
  return entries;
}

function readKind(reader: ByteReader): EntryKind {
  const code = reader.u8('entry kind');
  const kind = KINDS[code];
  if (kind === undefined) throw new DecodeError(`there is no entry of kind ${code}`, reader.offset - 1);
  return kind;
}

function readTerm(reader: ByteReader, last: Term): Term {
  const at = reader.offset;
  const term = last + reader.varint('term');
  if (term === 0 || !Number.isSafeInteger(term)) throw new DecodeError(`an entry has term ${term}`, at);
  return term;
}

/** How many bytes `ByteWriter.varint` takes. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
