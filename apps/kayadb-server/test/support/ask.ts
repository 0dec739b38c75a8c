/** One request to the program under test, over a connection of its own. */

import { decodeResponse, encodeRequest, FrameDecoder, type Request, type Response } from '@kayadb/codec';

import type { TestWorld } from './test-world.ts';

export async function ask(world: TestWorld, request: Request): Promise<Response> {
  const { address } = await world.logged('node.ready');
  const port = Number(String(address).split(':').at(-1));
  return world.settle(exchange(world, port, request));
}

async function exchange(world: TestWorld, port: number, request: Request): Promise<Response> {
  const connection = await world.network.dial({ host: '127.0.0.1', port, timeoutMs: 1_000 });
  const decoder = new FrameDecoder();
  const frame = await new Promise<Uint8Array>((resolve) => {
    connection.onData((chunk) => {
      decoder.push(chunk);
      const next = decoder.next();
      if (next !== undefined) resolve(next);
    });
    connection.send(encodeRequest(request));
  });
  await connection.close();
  return decodeResponse(request.kind, frame);
}
