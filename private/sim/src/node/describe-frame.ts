/** A frame in the words of a trace. */

import { decodePeerFrame, isTransferMessage, type PeerMessage } from '@kayadb/raft';

const LENGTH_BYTES = 4;

export function describeFrame(frame: Uint8Array): string {
  const message = decodePeerFrame(frame.subarray(LENGTH_BYTES));
  const { kind, from, to } = message;
  const between = `${from}>${to} ${kind}`;
  if (isTransferMessage(message)) {
    return `${between} ${message.transfer}${'reason' in message ? ` ${message.reason}` : ''}`;
  }
  const term = 'term' in message ? ` term ${message.term}` : '';
  return `${between}${term}${describeRest(message)}`;
}

function describeRest(message: PeerMessage): string {
  if (message.kind === 'append') {
    return ` behind ${message.prevIndex} +${message.entries.length} commit ${message.commit}`;
  }
  if (message.kind === 'append-response') return ` ${message.isRejected ? 'rejects' : 'has'} ${message.index}`;
  if (message.kind === 'heartbeat') return ` commit ${message.commit}`;
  return 'isRejected' in message ? ` ${message.isRejected ? 'no' : 'yes'}` : '';
}
