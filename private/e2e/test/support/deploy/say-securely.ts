/** What a port that speaks TLS says to whom. */

import { connect } from 'node:tls';

/** Bound: how long it may take to say it. */
const DEADLINE_MS = 10_000;

export interface Shown {
  readonly ca: Uint8Array;
  readonly certificate?: Uint8Array;
  readonly key?: Uint8Array;
}

/** What comes back until the other side ends; nothing when it does not take the certificate, or nobody is there. */
export function saySecurely(host: string, port: number, bytes: Uint8Array, shown: Shown): Promise<Buffer> {
  const { ca, certificate, key } = shown;
  const identity =
    certificate === undefined || key === undefined ? {} : { cert: Buffer.from(certificate), key: Buffer.from(key) };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host, port, ca: Buffer.from(ca), ...identity });
    const deadline = setTimeout(() => socket.destroy(), DEADLINE_MS);
    socket.on('secureConnect', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.end();
    });
    // In TLS 1.3 a certificate is refused behind the handshake of its owner: an alert, or an end.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve(Buffer.concat(chunks));
    });
  });
}

/** The serial number of the certificate that a port shows. */
export function serialOf(host: string, port: number, { ca, certificate, key }: Shown): Promise<string> {
  return new Promise((resolve, reject) => {
    const [cert, secret] = [certificate, key].map((bytes) => (bytes === undefined ? undefined : Buffer.from(bytes)));
    const socket = connect({ host, port, ca: Buffer.from(ca), cert, key: secret });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
  });
}
