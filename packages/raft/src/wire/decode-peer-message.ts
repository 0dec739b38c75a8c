/**
 * Frames to messages of the core. Invariant: any bytes give a message that the core may be stepped with, or a RaftError; a message has one
 * encoding. Format: docs/format/raft-messages.md, "Messages" and "What is refused".
 */

import { assertNever, type ByteReader, DecodeError } from '@kayadb/codec';

import type {
  AppendRequest,
  AppendResponse,
  PeerMessage,
  ProposeRequest,
  SnapshotRequest,
  VoteRequest,
  VoteResponse,
} from '../core/message.ts';
import { type KnownCommit, NO_COMMIT, type NodeId, type Term } from '../core/types.ts';
import { readEntryList } from './entry-list.ts';
import { isTransferKind, MAX_CONTEXT_BYTES } from './frame-format.ts';
import { openFrame, type OpenedFrame, readFlag, refusingMalformed } from './peer-frame.ts';
import { readSnapshot } from './snapshot-fields.ts';

interface Between {
  readonly from: NodeId;
  readonly to: NodeId;
}

/**
 * @param frame - Without its length field, as `FrameDecoder` hands it out. It belongs to the message from now on: data of entries and of
 * snapshots, and contexts, are views of it, so it must not change, and lives as long as any of them.
 * @throws RaftError KAYA_RAFT_MALFORMED for bytes that are no message: the stream cannot be trusted any further.
 * @throws RaftError KAYA_RAFT_UNSUPPORTED for a sound frame of a version, group or kind that is not known here: it is to be dropped.
 */
export function decodePeerMessage(frame: Uint8Array): PeerMessage {
  return refusingMalformed(() => readPeerMessage(openFrame(frame)));
}

/** @throws DecodeError, also for a frame of the snapshot transfer. */
export function readPeerMessage({ kind, from, to, reader }: OpenedFrame): PeerMessage {
  if (isTransferKind(kind)) throw new DecodeError(`a ${kind} frame is no message of the core`, 0);
  const message = readBody(kind, { from, to }, reader);
  reader.end(`a ${kind} frame`);
  return message;
}

function readBody(kind: PeerMessage['kind'], between: Between, reader: ByteReader): PeerMessage {
  switch (kind) {
    case 'vote':
    case 'pre-vote':
      return readVoteRequest(kind, between, reader);
    case 'vote-response':
    case 'pre-vote-response':
      return readVoteResponse(kind, between, reader);
    case 'append':
      return readAppend(between, reader);
    case 'append-response':
      return readAppendResponse(between, reader);
    case 'heartbeat':
      return { kind, ...between, term: readTerm(reader), commit: reader.u64('commit'), context: readContext(reader) };
    case 'heartbeat-response':
      return { kind, ...between, term: readTerm(reader), context: readContext(reader) };
    case 'snapshot':
      return readSnapshotRequest(between, reader);
    case 'propose':
      return readPropose(between, reader);
    case 'read-index':
      return { kind, ...between, context: readContext(reader) };
    case 'read-index-response':
      return { kind, ...between, term: readTerm(reader), index: reader.u64('index'), context: readContext(reader) };
    case 'transfer-leader':
    case 'timeout-now':
      return { kind, ...between, term: readTerm(reader) };
    default:
      return assertNever(kind, 'kind');
  }
}

function readVoteRequest(kind: VoteRequest['kind'], between: Between, reader: ByteReader): VoteRequest {
  const term = readTerm(reader);
  const { index: lastIndex, term: lastTerm } = readLogPosition(reader);
  if (lastTerm >= term) throw new DecodeError(`a candidate of term ${term} has entries of term ${lastTerm}`, 0);
  const known = readKnownCommit(reader);
  if (known.commit > lastIndex || known.commitTerm > lastTerm) {
    throw new DecodeError(`a candidate's log ends with entry ${lastIndex}, and ${known.commit} is committed in it`, 0);
  }
  return { kind, ...between, term, lastIndex, lastTerm, ...known, isTransfer: readFlag(reader, 'transfer flag') };
}

/** A node that has seen no term yet says so when it refuses a pre-vote. */
function readVoteResponse(kind: VoteResponse['kind'], between: Between, reader: ByteReader): VoteResponse {
  const term = reader.u64('term');
  const isRejected = readFlag(reader, 'refusal flag');
  if (term === 0 && !(isRejected && kind === 'pre-vote-response')) throw new DecodeError(`a ${kind} in term 0`, 0);
  const known = isRejected ? readKnownCommit(reader) : NO_COMMIT;
  if (known.commitTerm > term) throw new DecodeError(`a ${kind} in term ${term} knows of term ${known.commitTerm}`, 0);
  return { kind, ...between, term, isRejected, ...known };
}

function readKnownCommit(reader: ByteReader): KnownCommit {
  const { index: commit, term: commitTerm } = readLogPosition(reader);
  return { commit, commitTerm };
}

function readAppend(between: Between, reader: ByteReader): AppendRequest {
  const term = readTerm(reader);
  const previous = readLogPosition(reader);
  const commit = reader.u64('commit');
  const entries = readEntryList(reader, previous);
  const lastTerm = entries.at(-1)?.term ?? previous.term;
  if (lastTerm > term) throw new DecodeError(`a leader of term ${term} has entries of term ${lastTerm}`, 0);
  return { kind: 'append', ...between, term, prevIndex: previous.index, prevTerm: previous.term, entries, commit };
}

function readAppendResponse(between: Between, reader: ByteReader): AppendResponse {
  const term = readTerm(reader);
  const index = reader.u64('index');
  const isRejected = readFlag(reader, 'refusal flag');
  const hintIndex = isRejected ? reader.u64('hint index') : 0;
  const hintTerm = isRejected ? reader.u64('hint term') : 0;
  return { kind: 'append-response', ...between, term, index, isRejected, hintIndex, hintTerm };
}

function readSnapshotRequest(between: Between, reader: ByteReader): SnapshotRequest {
  const term = readTerm(reader);
  const snapshot = readSnapshot(reader);
  if (snapshot.meta.term > term) throw new DecodeError(`a leader of term ${term} has a newer snapshot`, 0);
  return { kind: 'snapshot', ...between, term, snapshot };
}

function readPropose(between: Between, reader: ByteReader): ProposeRequest {
  const entries = readEntryList(reader, undefined);
  if (entries.length === 0) throw new DecodeError('nothing is proposed', 0);
  return { kind: 'propose', ...between, entries };
}

/** Terms begin with 1; 0 is what messages have that never left their node. */
export function readTerm(reader: ByteReader): Term {
  const term = reader.u64('term');
  if (term === 0) throw new DecodeError('a message in term 0', reader.offset - 8);
  return term;
}

/** Index and term of an entry; both are 0 in front of the first one. */
function readLogPosition(reader: ByteReader): { readonly index: number; readonly term: Term } {
  const at = reader.offset;
  const index = reader.u64('index');
  const term = reader.u64('term of an entry');
  if ((index === 0) !== (term === 0)) throw new DecodeError(`there is no entry ${index} of term ${term}`, at);
  return { index, term };
}

function readContext(reader: ByteReader): Uint8Array {
  const length = reader.u16('context length');
  if (length > MAX_CONTEXT_BYTES) throw new DecodeError(`a context of ${length} bytes`, reader.offset - 2);
  return reader.bytes(length, 'context');
}
