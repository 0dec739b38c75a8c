/** A configuration as bytes. Format: docs/format/raft-snapshot.md. */

import { type ByteReader, type ByteWriter, DecodeError } from '@kayadb/codec';

import { APPLY_THREAD, type Configuration, type NodeId } from '../core/types.ts';

export function writeConfiguration(writer: ByteWriter, configuration: Configuration): void {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  for (const ids of [voters, votersOutgoing, learners, learnersNext]) {
    writer.varint(ids.length);
    for (const id of ids) writer.varint(id);
  }
  writer.u8(autoLeave ? 1 : 0);
}

/** @throws DecodeError */
export function readConfiguration(reader: ByteReader): Configuration {
  const [voters, votersOutgoing, learners, learnersNext] = [
    readIds(reader, 'voters'),
    readIds(reader, 'outgoing voters'),
    readIds(reader, 'learners'),
    readIds(reader, 'learners next'),
  ];
  const autoLeave = reader.u8('whether a joint configuration is left by itself');
  if (autoLeave > 1) throw new DecodeError(`${autoLeave} is neither yes nor no`, reader.offset - 1);
  return { voters, votersOutgoing, learners, learnersNext, autoLeave: autoLeave === 1 };
}

function readIds(reader: ByteReader, what: string): readonly NodeId[] {
  const count = reader.varint(`the number of ${what}`);
  if (count > reader.remaining) throw new DecodeError(`${count} ${what} do not fit`, reader.offset);
  const ids: NodeId[] = [];
  for (let i = 0; i < count; i++) {
    const id = reader.varint(what);
    if (id <= (ids.at(-1) ?? 0) || id >= APPLY_THREAD) {
      throw new DecodeError(`${id} does not follow in the list of ${what}`, reader.offset);
    }
    ids.push(id);
  }
  return ids;
}
