/** What can go wrong between two processes, as stable codes. */

import { KayaError } from '@kayadb/codec';

export type TransportErrorCode =
  | 'KAYA_LISTEN_FAILED'
  | 'KAYA_DIAL_FAILED'
  | 'KAYA_DIAL_TIMEOUT'
  | 'KAYA_DIAL_ABORTED'
  | 'KAYA_CONNECTION_LOST'
  | 'KAYA_CONNECTION_DESTROYED'
  | 'KAYA_CONNECTION_IDLE'
  | 'KAYA_FIRST_BYTE_TIMEOUT'
  | 'KAYA_WRITE_STALLED'
  | 'KAYA_SEND_OVERFLOW'
  | 'KAYA_HANDSHAKE_TIMEOUT'
  | 'KAYA_CROWDED_OUT'
  | 'KAYA_TLS_MATERIAL'
  | 'KAYA_TLS_HANDSHAKE'
  | 'KAYA_TLS_UNTRUSTED'
  | 'KAYA_PEER_REFUSED'
  | 'KAYA_PEER_MALFORMED'
  | 'KAYA_PEER_REPLACED'
  | 'KAYA_PEER_SILENT';

export class TransportError extends KayaError<TransportErrorCode> {}
