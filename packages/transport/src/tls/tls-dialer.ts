/** The dialing side of TLS: a connected socket becomes a secure one with whom was expected, or an error that says why not. */

import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

import type { DialTls } from '../network.ts';
import type { TransportError } from '../transport-error.ts';
import {
  type ConnectionTls,
  describeExpected,
  type ExpectedIdentity,
  matchesIdentity,
  peerIdentityOf,
} from './peer-identity.ts';
import { DEFAULT_TLS_VERSION } from './secure-identity.ts';
import { authorizationFailure, handshakeError, isUnknownIssuer, untrustedError } from './tls-errors.ts';

export interface TlsDialEvents {
  /** Called in the turn in which the handshake ended; the socket has delivered nothing yet. */
  readonly onSecure: (socket: TLSSocket, tls: ConnectionTls) => void;
  readonly onFailed: (error: TransportError) => void;
}

/**
 * Begins the handshake; one of `events` follows unless `raw` is destroyed before.
 *
 * @param host - As it was dialed: who is expected, unless `tls` says otherwise.
 * @param where - The other side, for errors.
 */
export function startTls(raw: Socket, tls: DialTls, host: string, where: string, events: TlsDialEvents): void {
  const { identity, expected = { kind: 'name', name: host }, minVersion = DEFAULT_TLS_VERSION } = tls;
  // With a pinned key and no CA the chain leads nowhere, and the pin alone decides: see `judgePinned`.
  const isPinAlone = expected.kind === 'pin' && identity.authorities === undefined;
  const socket = connect({
    socket: raw,
    secureContext: identity.secureContext(minVersion),
    rejectUnauthorized: !isPinAlone,
    checkServerIdentity: (_host, { raw: bytes }) => judge(new X509Certificate(bytes), expected, where),
    ...serverName(expected, host),
  });
  const handleFailure = (cause: unknown): void => {
    cleanUp();
    // Late failures of a socket that was given up concern nobody.
    socket.on('error', () => {});
    socket.destroy();
    events.onFailed(handshakeError(where, cause));
  };
  const handleSecure = (): void => {
    const failure = isPinAlone ? judgePinned(socket, expected, where) : undefined;
    if (failure !== undefined) {
      // Reported as an 'error' after this callback of TLS: who hears of it may destroy the socket underneath.
      socket.destroy(failure);
      return;
    }
    cleanUp();
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? undefined : peerIdentityOf(certificate);
    events.onSecure(socket, { version: socket.getProtocol() ?? '', peer });
  };
  const handleClose = (): void => handleFailure(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
  const cleanUp = (): void => {
    socket.off('secureConnect', handleSecure);
    socket.off('error', handleFailure);
    socket.off('close', handleClose);
  };
  socket.on('secureConnect', handleSecure);
  socket.on('error', handleFailure);
  socket.on('close', handleClose);
}

/** The chain was found good; now it must also be the one who was meant. */
function judge(certificate: X509Certificate, expected: ExpectedIdentity, where: string): TransportError | undefined {
  const peer = peerIdentityOf(certificate);
  if (matchesIdentity(peer, expected)) return undefined;
  const names = [...peer.dnsNames, ...peer.ipAddresses].join(', ');
  const found =
    expected.kind === 'pin' ? `with the key ${peer.spkiSha256}` : `that of ${names === '' ? 'nobody by name' : names}`;
  return untrustedError(where, `expected ${describeExpected(expected)}, and its certificate is ${found}`);
}

function judgePinned(socket: TLSSocket, expected: ExpectedIdentity, where: string): TransportError | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return untrustedError(where, 'it showed no certificate');
  // Anything but an unknown issuer counts, such as a certificate that has expired.
  const doubt = authorizationFailure(socket);
  if (!socket.authorized && !isUnknownIssuer(doubt)) return handshakeError(where, doubt);
  return judge(certificate, expected, where);
}

/** Names the host, so that a proxy in front of several can tell which is meant. Addresses are not names. */
function serverName(expected: ExpectedIdentity, host: string): { readonly servername?: string } {
  const name = expected.kind === 'name' ? expected.name : host;
  return isIP(name) === 0 ? { servername: name } : {};
}
