/** Connections as anybody can open them, each from an address of its own: what is sent is sent in one piece, and what comes back is kept until the other side has ended. */

import { connect } from 'node:net';

import { FrameDecoder } from '@kayadb/codec';

/** Bound: how long a conversation may take. */
const DEADLINE_MS = 30_000;
/** The second byte of the addresses that this process speaks from. */
const NETWORK = 1 + (process.pid % 200);

let lastAddress = 0;

/** An address of this machine that has not been used before: a node slows down addresses that have guessed wrong. */
export function freshAddress(): string {
  lastAddress++;
  return `127.${NETWORK}.${lastAddress >>> 8}.${lastAddress & 0xff || 1}`;
}

/** What comes back, until the other side ends. @param from - Address to speak from. */
export function say(port: number, bytes: Uint8Array, from = freshAddress()): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, localAddress: from, allowHalfOpen: true });
    const deadline = setTimeout(() => socket.destroy(new Error(`no end after ${DEADLINE_MS} ms`)), DEADLINE_MS);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve(Buffer.concat(chunks));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.end(bytes);
  });
}

/** The same, for answers that are frames, without their lengths. */
export async function ask(port: number, bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  const decoder = new FrameDecoder();
  decoder.push(await say(port, bytes));
  const frames: Uint8Array[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  return frames;
}
