/** Messages of the core to frames. Format: docs/format/raft-messages.md, "Messages". */

import { assertNever, type ByteWriter } from '@kayadb/codec';

import type { AppendRequest, PeerMessage } from '../core/message.ts';
import { entryListBytes, writeEntryList } from './entry-list.ts';
import { MAX_CONTEXT_BYTES } from './frame-format.ts';
import { type FrameBody, sealFrame } from './peer-frame.ts';
import { snapshotBytes, writeSnapshot } from './snapshot-fields.ts';

const NUMBER_BYTES = 8;
const FLAG_BYTES = 1;
const CONTEXT_LENGTH_BYTES = 2;

/**
 * A whole frame, length field included, in one allocation.
 *
 * Requires: a message that the core made. Byte arrays are copied.
 *
 * @throws RangeError for a message over a limit of frame-format.ts.
 */
export function encodePeerMessage(message: PeerMessage): Uint8Array {
  return sealFrame(message, bodyOf(message));
}

function bodyOf(message: PeerMessage): FrameBody {
  switch (message.kind) {
    case 'vote':
    case 'pre-vote': {
      const { term, lastIndex, lastTerm, commit, commitTerm, isTransfer } = message;
      const write = (writer: ByteWriter): void => {
        writer.u64(term).u64(lastIndex).u64(lastTerm).u64(commit).u64(commitTerm).u8(+isTransfer);
      };
      return { bytes: 5 * NUMBER_BYTES + FLAG_BYTES, write };
    }
    case 'vote-response':
    case 'pre-vote-response': {
      const { term, isRejected, commit, commitTerm } = message;
      const write = (writer: ByteWriter): void => {
        writer.u64(term).u8(+isRejected);
        if (isRejected) writer.u64(commit).u64(commitTerm);
      };
      return { bytes: (isRejected ? 3 : 1) * NUMBER_BYTES + FLAG_BYTES, write };
    }
    case 'append':
      return appendBody(message);
    case 'append-response': {
      const { term, index, isRejected, hintIndex, hintTerm } = message;
      const write = (writer: ByteWriter): void => {
        writer.u64(term).u64(index).u8(+isRejected);
        if (isRejected) writer.u64(hintIndex).u64(hintTerm);
      };
      return { bytes: (isRejected ? 4 : 2) * NUMBER_BYTES + FLAG_BYTES, write };
    }
    case 'heartbeat':
      return withContext([message.term, message.commit], message.context);
    case 'heartbeat-response':
      return withContext([message.term], message.context);
    case 'snapshot': {
      const { term, snapshot } = message;
      const write = (writer: ByteWriter): void => writeSnapshot(writer.u64(term), snapshot);
      return { bytes: NUMBER_BYTES + snapshotBytes(snapshot), write };
    }
    case 'propose': {
      const { entries } = message;
      return {
        bytes: entryListBytes(entries, undefined),
        write: (writer) => writeEntryList(writer, entries, undefined),
      };
    }
    case 'read-index':
      return withContext([], message.context);
    case 'read-index-response':
      return withContext([message.term, message.index], message.context);
    case 'transfer-leader':
    case 'timeout-now':
      return { bytes: NUMBER_BYTES, write: (writer) => void writer.u64(message.term) };
    default:
      return assertNever(message, 'message');
  }
}

function appendBody({ term, prevIndex, prevTerm, entries, commit }: AppendRequest): FrameBody {
  const previous = { index: prevIndex, term: prevTerm };
  return {
    bytes: 4 * NUMBER_BYTES + entryListBytes(entries, previous),
    write: (writer) => writeEntryList(writer.u64(term).u64(prevIndex).u64(prevTerm).u64(commit), entries, previous),
  };
}

function withContext(numbers: readonly number[], context: Uint8Array): FrameBody {
  if (context.length > MAX_CONTEXT_BYTES) {
    throw new RangeError(`a context has at most ${MAX_CONTEXT_BYTES} bytes, this one ${context.length}`);
  }
  return {
    bytes: numbers.length * NUMBER_BYTES + CONTEXT_LENGTH_BYTES + context.length,
    write(writer) {
      for (const number of numbers) writer.u64(number);
      writer.u16(context.length).bytes(context);
    },
  };
}
