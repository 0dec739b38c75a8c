/** Ports for processes that have to know each other's before any of them listens. */

import { createServer, type AddressInfo, type Server } from 'node:net';

/** Below where operating systems take the ports of outgoing connections from, one of which could be faster than the process. */
const FIRST_PORT = 12_000;
const PORT_COUNT = 18_000;

/** Where this process looks next; others begin elsewhere. */
let nextPort = FIRST_PORT + ((process.pid * 97) % PORT_COUNT);

/** Ports of 127.0.0.1 that nobody listens on, none of which this process was given before. @throws Error when there are none. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries === PORT_COUNT) throw new Error(`no ${count} free ports from ${FIRST_PORT} on`);
    const port = nextPort;
    nextPort = port + 1 === FIRST_PORT + PORT_COUNT ? FIRST_PORT : port + 1;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    return (await listen(server, port)) === port;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen({ host: '127.0.0.1', port }, () => resolve((server.address() as AddressInfo).port));
  });
}
