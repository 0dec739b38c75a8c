/** One client, one scripted server, a clock that the test turns. */

import { VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';

import { type Client, ClientError, type ClientOptions, connect } from '../../src/index.ts';
import { ScriptedServer } from './scripted-server.ts';

export interface World extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly server: ScriptedServer;
  readonly client: Client;
}

export async function openWorld(
  options: ClientOptions = {},
  endpoints: readonly string[] = ['127.0.0.1:7379'],
): Promise<World> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const server = await ScriptedServer.open(network);
  const client = connect(endpoints, { protocol: 1, clock, network, random: () => 0.5, ...options });
  return { clock, network, server, client, [Symbol.asyncDispose]: () => client.close() };
}

/** Runs the clock until the promise has settled, and gives its error. */
export async function failureOf(promise: Promise<unknown>, clock: VirtualClock): Promise<ClientError> {
  const settled = promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );
  const turns = (async () => {
    for (let i = 0; i < 100; i++) await clock.advanceAsync(1000);
    return 'still pending';
  })();
  const result = await Promise.race([settled, turns]);
  if (!(result instanceof ClientError)) throw new Error(`expected a ClientError, got ${String(result)}`);
  return result;
}
