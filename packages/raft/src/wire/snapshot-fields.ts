/**
 * A snapshot in a message: what it stands for, who was in the group, its data. Format: docs/format/raft-messages.md, "Snapshots".
 * Invariant: a configuration that is read keeps the rules of a configuration, so that the core may assert them.
 */

import { type ByteReader, type ByteWriter, DecodeError } from '@kayadb/codec';

import type { Configuration, NodeId, Snapshot, SnapshotMeta } from '../core/types.ts';
import { MAX_LISTED_MEMBERS, MAX_SNAPSHOT_DATA_BYTES } from './frame-format.ts';
import { readFlag, readNodeId } from './peer-frame.ts';

const NUMBER_BYTES = 8;
const LIST_COUNT_BYTES = 2;
const LENGTH_BYTES = 4;

export function snapshotBytes({ meta, data }: Snapshot): number {
  const { voters, votersOutgoing, learners, learnersNext } = meta.configuration;
  const members = voters.length + votersOutgoing.length + learners.length + learnersNext.length;
  return 2 * NUMBER_BYTES + 4 * LIST_COUNT_BYTES + members * NUMBER_BYTES + 1 + LENGTH_BYTES + data.length;
}

/** @throws RangeError for more members or data than a message may have. */
export function writeSnapshot(writer: ByteWriter, { meta, data }: Snapshot): void {
  const { index, term, configuration } = meta;
  writer.u64(index).u64(term);
  writeMembers(writer, configuration.voters);
  writeMembers(writer, configuration.votersOutgoing);
  writeMembers(writer, configuration.learners);
  writeMembers(writer, configuration.learnersNext);
  if (data.length > MAX_SNAPSHOT_DATA_BYTES) {
    throw new RangeError(`a snapshot has at most ${MAX_SNAPSHOT_DATA_BYTES} bytes of data, this one ${data.length}`);
  }
  writer
    .u8(configuration.autoLeave ? 1 : 0)
    .u32(data.length)
    .bytes(data);
}

/** The data are a view of the reader's bytes. */
export function readSnapshot(reader: ByteReader): Snapshot {
  const meta = readMeta(reader);
  const length = reader.u32('snapshot data length');
  if (length > MAX_SNAPSHOT_DATA_BYTES) throw new DecodeError(`a snapshot of ${length} bytes`, reader.offset - 4);
  return { meta, data: reader.bytes(length, 'snapshot data') };
}

function readMeta(reader: ByteReader): SnapshotMeta {
  const at = reader.offset;
  const index = reader.u64('snapshot index');
  const term = reader.u64('snapshot term');
  if (index === 0 || term === 0) throw new DecodeError('a snapshot stands for nothing', at);
  const configurationAt = reader.offset;
  const configuration: Configuration = {
    voters: readMembers(reader),
    votersOutgoing: readMembers(reader),
    learners: readMembers(reader),
    learnersNext: readMembers(reader),
    autoLeave: readFlag(reader, 'leaving flag'),
  };
  const fault = findConfigurationFault(configuration);
  if (fault !== undefined) throw new DecodeError(fault, configurationAt);
  return { index, term, configuration };
}

function writeMembers(writer: ByteWriter, members: readonly NodeId[]): void {
  if (members.length > MAX_LISTED_MEMBERS) {
    throw new RangeError(`a list of members has at most ${MAX_LISTED_MEMBERS}, this one ${members.length}`);
  }
  writer.u16(members.length);
  for (const id of members) writer.u64(id);
}

function readMembers(reader: ByteReader): readonly NodeId[] {
  const count = reader.u16('member count');
  if (count > MAX_LISTED_MEMBERS) throw new DecodeError(`a list of ${count} members`, reader.offset - 2);
  const members: NodeId[] = [];
  for (let i = 0; i < count; i++) {
    const id = readNodeId(reader, 'member');
    if (id <= (members.at(-1) ?? 0)) throw new DecodeError('members do not ascend', reader.offset - 8);
    members.push(id);
  }
  return members;
}

/**
 * Says what is wrong with a configuration whose lists ascend (thesis section 4.3): somebody votes; nobody both votes and learns; only a joint
 * one has members that will be learners, all of which vote in its outgoing half, or leaves by itself.
 */
function findConfigurationFault(configuration: Configuration): string | undefined {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  const inVoters = new Set(voters);
  const inOutgoing = new Set(votersOutgoing);
  if (inVoters.size === 0) return 'nobody votes';
  const both = learners.find((id) => inVoters.has(id) || inOutgoing.has(id));
  if (both !== undefined) return `member ${both} votes and learns`;
  const early = learnersNext.find((id) => inVoters.has(id) || !inOutgoing.has(id));
  if (early !== undefined) return `member ${early} is to learn, and is no voter that leaves`;
  return autoLeave && inOutgoing.size === 0 ? 'a configuration that is not joint is to be left' : undefined;
}
