/** Freshness and ranges, which several reading requests have. Format: docs/format/wire-2.md, "Requests". */

import { assertNever } from '../assert.ts';
import type { ByteReader } from '../byte-reader.ts';
import type { ByteSink } from './byte-sink.ts';
import { readBound, readFlag, readOneOf, writeBound, writeFlag } from './fields.ts';
import type { Freshness, RowRange } from './request.ts';

const FRESHNESS_LEVELS = ['linearizable', 'lease', 'stale', 'bounded'] as const satisfies readonly Freshness['kind'][];

export function writeFreshness(sink: ByteSink, freshness: Freshness): void {
  sink.u8(FRESHNESS_LEVELS.indexOf(freshness.kind));
  switch (freshness.kind) {
    case 'linearizable':
    case 'lease':
    case 'stale':
      return;
    case 'bounded':
      return void sink.varint(freshness.maxStalenessMs);
    default:
      assertNever(freshness, 'freshness');
  }
}

export function readFreshness(reader: ByteReader): Freshness {
  const kind = FRESHNESS_LEVELS[readOneOf(reader, 'freshness', FRESHNESS_LEVELS.length - 1)]!;
  return kind === 'bounded' ? { kind, maxStalenessMs: reader.varint('staleness') } : { kind };
}

export function writeRange(sink: ByteSink, range: RowRange): void {
  writeBound(sink, range.from, 'from');
  writeFlag(sink, range.isFromExclusive);
  writeBound(sink, range.to, 'to');
  writeFlag(sink, range.isToInclusive);
}

export function readRange(reader: ByteReader): RowRange {
  const from = readBound(reader, 'from');
  const isFromExclusive = readFlag(reader, 'flag byte of from');
  const to = readBound(reader, 'to');
  return { from, isFromExclusive, to, isToInclusive: readFlag(reader, 'flag byte of to') };
}
