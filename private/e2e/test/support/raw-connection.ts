/**
 * A connection that can say anything, as a broken or hostile client does. It builds and reads frames by itself, after
 * docs/format/wire.md, so that a fault that the codec makes on both sides is seen.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** The sentence of a refusal, else the payload as text. */
  readonly text: string;
}

/** How the sender goes on after its bytes: waits for the node to hang up, ends its side, or breaks the connection off. */
export type AfterBytes = 'wait' | 'end' | 'reset';

/**
 * Sends `bytes` on a connection of their own. Resolves when the connection has ended.
 *
 * @returns The answers in order.
 */
export function exchange(port: number, bytes: Uint8Array, after: AfterBytes = 'end'): Promise<readonly RawAnswer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(readAnswers(Buffer.concat(chunks))));
    // A node that hangs up on bytes that are still being sent resets the connection; what it answered has arrived.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.write(bytes, () => finishSending(socket, after));
  });
}

/**
 * Opens `count` connections that ask for nothing, waits until the node has closed `expected` of them, then asks each other
 * one for HEALTH and ends it.
 *
 * @returns How many the node has closed by itself. Rejects when one of the others is not answered.
 */
export async function flood(port: number, count: number, expected: number): Promise<number> {
  let closed = 0;
  const sockets = Array.from({ length: count }, () => connect({ host: '127.0.0.1', port }));
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.on('close', () => {
        if (++closed === expected) resolve();
      });
    }
  });
  const open = sockets.filter((socket) => !socket.destroyed);
  const before = count - open.length;
  await Promise.all(
    open.map(async (socket) => {
      const answered = once(socket, 'data');
      socket.end(frame(5));
      await answered;
    }),
  );
  return before;
}

/** One request; the connection is then ended. @throws Error unless there is exactly one answer. */
export async function request(port: number, bytes: Uint8Array): Promise<RawAnswer> {
  const answers = await exchange(port, bytes);
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) throw new Error(`${answers.length} answers to one request`);
  return answer;
}

/** `length u32`, `opcode u8`, payload. */
export function frame(opcode: number, ...payload: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(payload);
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length + 1, 0);
  head.writeUInt8(opcode, 4);
  return Buffer.concat([head, body]);
}

export function putFrame(key: Uint8Array, value: Uint8Array, token?: string): Uint8Array {
  return frame(1, clientPrefix(token), u32(key.length), u32(value.length), key, value);
}

export function getFrame(key: Uint8Array, token?: string): Uint8Array {
  return frame(2, clientPrefix(token), u32(key.length), key);
}

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

function clientPrefix(token: string | undefined): Uint8Array {
  if (token === undefined) return Buffer.alloc(0);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(Buffer.byteLength(token), 0);
  return Buffer.concat([Buffer.from('CLIENT\0'), length, Buffer.from(token)]);
}

function finishSending(socket: Socket, after: AfterBytes): void {
  if (after === 'end') socket.end();
  if (after === 'reset') socket.resetAndDestroy();
}

function readAnswers(bytes: Buffer): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) throw new Error(`an answer of ${end - at} bytes was cut off`);
    const status = bytes.readUInt16LE(at + 4);
    const payload = bytes.subarray(at + 6, end);
    const hasLength = payload.length >= 4 && payload.readUInt32LE(0) === payload.length - 4;
    answers.push({ status, text: payload.subarray(hasLength ? 4 : 0).toString() });
    at = end;
  }
  return answers;
}
