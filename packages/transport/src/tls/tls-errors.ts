/** What went wrong in a handshake, in a sentence: OpenSSL's codes name the routine, people need the cause. */

import type { TLSSocket } from 'node:tls';

import { TransportError } from '../transport-error.ts';

const NOT_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_HTTP_REQUEST', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

const NO_COMMON_VERSION = new Set([
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
]);

const UNTRUSTED: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is signed by itself and not trusted here'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate comes from a CA that is not trusted here'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its certificate comes from a CA that is not trusted here'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its certificate comes from a CA that is not trusted here'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate comes from a CA that is not trusted here'],
  ['CERT_SIGNATURE_FAILURE', 'its certificate was not signed by the CA it names'],
  ['INVALID_PURPOSE', 'its certificate is not for this purpose'],
]);

/** Doubts about the chain only: a pinned key needs none. */
const UNKNOWN_ISSUER = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

export function isUnknownIssuer(doubt: Error): boolean {
  return UNKNOWN_ISSUER.has(codeOf(doubt));
}

/**
 * @param where - The other side, as text.
 * @param cause - What Node reports; a TransportError is handed on as it is.
 */
export function handshakeError(where: string, cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  const code = codeOf(cause);
  const untrusted = UNTRUSTED.get(code);
  if (untrusted !== undefined) return untrustedError(where, untrusted, cause);
  return new TransportError('KAYA_TLS_HANDSHAKE', `the TLS handshake with ${where} failed: ${describe(code, cause)}`, {
    cause,
  });
}

/** What Node found wrong with the other side's certificate, as an error with its code. Node declares an Error and gives the code alone. */
export function authorizationFailure(socket: TLSSocket): Error {
  const doubt: unknown = socket.authorizationError;
  const code = typeof doubt === 'string' ? doubt : 'certificate not verified';
  return Object.assign(new Error(code), { code });
}

/** The other side is somebody, but nobody to speak to. */
export function untrustedError(where: string, why: string, cause?: unknown): TransportError {
  const options = cause === undefined ? undefined : { cause };
  return new TransportError('KAYA_TLS_UNTRUSTED', `${where} is not trusted: ${why}`, options);
}

function describe(code: string, cause: unknown): string {
  if (NOT_TLS.has(code)) return 'what came is no TLS; the other side speaks without it';
  if (NO_COMMON_VERSION.has(code)) return 'no version of TLS is allowed on both sides';
  if (code === 'ECONNRESET') return 'the other side ended the connection';
  const alert = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_(?:ALERT_)?(?<alert>.+)$/.exec(code)?.groups?.['alert'];
  if (alert !== undefined) return `the other side refused it: ${alert.toLowerCase().replaceAll('_', ' ')}`;
  return cause instanceof Error ? cause.message.trim() : String(cause);
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}
