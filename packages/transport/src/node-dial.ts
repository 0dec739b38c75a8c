/** Dialing through node:net, with TLS where it is asked for. Invariant: a dial ends once, and one that fails leaves no descriptor. */

import { connect, type Socket } from 'node:net';

import type { Clock } from '@kayadb/codec';

import { formatEndpoint, normaliseHost } from './endpoint.ts';
import { DEFAULT_DIAL_LIMITS } from './limits.ts';
import type { Connection, DialOptions } from './network.ts';
import { openConnection, type OpenSocket } from './socket-stream.ts';
import { startTls } from './tls/tls-dialer.ts';
import { TransportError } from './transport-error.ts';

/** As `Network.dial`. */
export function dial(clock: Clock, options: DialOptions): Promise<Connection> {
  const { host, port, timeoutMs, signal, tls } = options;
  const where = formatEndpoint({ host, port });
  if (signal?.aborted === true) return Promise.reject(aborted(where, signal));
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    socket.pause();
    let isConnected = false;
    const fail = (error: TransportError): void => {
      cleanUp();
      // Late failures of a socket that was given up concern nobody.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const succeed = (open: OpenSocket): void => {
      cleanUp();
      resolve(openConnection(open, { ...DEFAULT_DIAL_LIMITS, ...options.limits }, clock));
    };
    const handleAbort = (): void => fail(aborted(where, signal));
    const handleError = (cause: Error): void =>
      fail(new TransportError('KAYA_DIAL_FAILED', `cannot connect to ${where}: ${describe(cause)}`, { cause }));
    const handleConnect = (): void => {
      isConnected = true;
      const remoteAddress = remoteAddressOf(socket, options);
      if (tls === undefined) {
        succeed({ socket, remoteAddress });
        return;
      }
      startTls(socket, tls, host, where, {
        onSecure: (secured, details) => succeed({ socket: secured, remoteAddress, tls: details }),
        onFailed: fail,
      });
    };
    const timer = clock.setTimer(timeoutMs, () => fail(timedOut(where, timeoutMs, isConnected)));
    const cleanUp = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', handleAbort);
      socket.off('error', handleError);
      socket.off('connect', handleConnect);
    };
    signal?.addEventListener('abort', handleAbort);
    socket.on('error', handleError);
    socket.on('connect', handleConnect);
  });
}

function remoteAddressOf(socket: Socket, { host, port }: DialOptions): OpenSocket['remoteAddress'] {
  return { host: normaliseHost(socket.remoteAddress ?? host), port: socket.remotePort ?? port };
}

function timedOut(where: string, timeoutMs: number, isConnected: boolean): TransportError {
  const what = isConnected ? 'did not finish the TLS handshake' : 'did not accept a connection';
  const hint = isConnected ? '; it may be speaking without TLS' : '';
  return new TransportError('KAYA_DIAL_TIMEOUT', `${where} ${what} within ${timeoutMs} ms${hint}`);
}

function aborted(where: string, signal: AbortSignal | undefined): TransportError {
  return new TransportError('KAYA_DIAL_ABORTED', `connecting to ${where} was aborted`, { cause: signal?.reason });
}

/** A name with several addresses fails with an AggregateError, whose own message is empty. */
function describe(cause: Error): string {
  if (cause.message !== '' || !(cause instanceof AggregateError)) return cause.message;
  return cause.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
}
