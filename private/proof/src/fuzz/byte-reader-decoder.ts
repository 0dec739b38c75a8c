/** The reader that readers of manifests, properties and messages are made of, as a decoder. */

import { ByteReader, ByteWriter, DecodeError } from '@kayadb/codec';
import type { Decoder } from '@kayadb/engine/testing';

const FIELD_KINDS = 5;

/** What was read, and what came of it. */
type ReadField = readonly [kind: number, value: number | Uint8Array];

/** Fields of each kind; a byte before each says which. */
export const byteReaderDecoder: Decoder<readonly ReadField[]> = {
  name: 'byte-reader',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => true,
  copies: false,
  decode(bytes) {
    const reader = new ByteReader(bytes);
    const fields: ReadField[] = [];
    while (reader.remaining > 0) {
      const at = reader.offset;
      const kind = reader.u8('kind');
      if (kind >= FIELD_KINDS) throw new DecodeError('there is no such kind', at);
      fields.push([kind, readField(reader, kind)]);
    }
    return fields;
  },
  encode(fields) {
    const writer = new ByteWriter();
    for (const field of fields) writeField(writer, field);
    return writer.finish();
  },
  sample(random) {
    const writer = new ByteWriter();
    for (let left = 1 + random.int(5); left > 0; left--) {
      const kind = random.int(FIELD_KINDS);
      writeField(writer, [kind, kind === 4 ? random.bytes(random.int(9)) : random.int(2 ** 16)]);
    }
    return writer.finish();
  },
};

function readField(reader: ByteReader, kind: number): number | Uint8Array {
  if (kind === 0) return reader.u16('field');
  if (kind === 1) return reader.u32('field');
  if (kind === 2) return reader.u64('field');
  return kind === 3 ? reader.varint('field') : reader.bytes(reader.varint('length'), 'field');
}

function writeField(writer: ByteWriter, [kind, value]: ReadField): void {
  writer.u8(kind);
  if (typeof value !== 'number') writer.varint(value.length).bytes(value);
  else if (kind === 0) writer.u16(value);
  else if (kind === 1) writer.u32(value);
  else if (kind === 2) writer.u64(value);
  else writer.varint(value);
}
