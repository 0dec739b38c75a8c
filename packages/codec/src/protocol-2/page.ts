/** Pages of scans. Format: docs/format/wire-2.md, "Requests", at *page*. */

import type { ByteReader } from '../byte-reader.ts';
import { EMPTY_BYTES } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import type { ByteSink } from './byte-sink.ts';
import { readCount, readKey, readOneOf, readValue, writeKey, writeNumber, writeValue } from './fields.ts';
import type { Page, PageRow } from './response.ts';
import { MAX_PAGE_ROWS } from './wire-format-2.ts';

/** A key of a byte and a revision; then the length of a value. */
const LEAST_ROW_BYTES = 3;

/** @throws RangeError for a page without rows that is not the last, which would make a client ask for ever. */
export function writePage(sink: ByteSink, page: Page): void {
  const { revision, isLast, isWithoutValues, rows } = page;
  if (rows.length === 0 && !isLast) throw new RangeError('a page without rows is the last');
  sink.varint(revision).u8((isLast ? 1 : 0) + (isWithoutValues ? 2 : 0));
  writeNumber(sink, rows.length, 'count of rows', 0, MAX_PAGE_ROWS);
  for (const row of rows) {
    writeKey(sink, row.key);
    sink.varint(row.revision);
    if (!isWithoutValues) writeValue(sink, row.value);
  }
}

export function readPage(reader: ByteReader): Page {
  const revision = reader.varint('revision of the page');
  const flags = readOneOf(reader, 'flag byte of the page', 3);
  const isLast = (flags & 1) !== 0;
  const isWithoutValues = (flags & 2) !== 0;
  const at = reader.offset;
  const count = readCount(reader, 'rows', MAX_PAGE_ROWS, LEAST_ROW_BYTES + (isWithoutValues ? 0 : 1));
  if (count === 0 && !isLast) throw new DecodeError('a page without rows is not the last', at);
  const rows: PageRow[] = [];
  for (let i = 0; i < count; i++) {
    const key = readKey(reader);
    const rowRevision = reader.varint('revision of a row');
    rows.push({ key, revision: rowRevision, value: isWithoutValues ? EMPTY_BYTES : readValue(reader) });
  }
  return { revision, isLast, isWithoutValues, rows };
}
