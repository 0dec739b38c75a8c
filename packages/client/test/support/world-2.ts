/** One client of version 2, a cluster in memory, a clock that the test turns. */

import { settle, VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';

import { type Client, ClientError, type ClientEvent, type ClientOptions, connect } from '../../src/index.ts';
import { ScriptedCluster, type ScriptedClusterOptions } from './scripted-cluster.ts';

export interface World2 extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly cluster: ScriptedCluster;
  readonly client: Client;
  readonly events: ClientEvent[];
}

export interface WorldOptions extends ScriptedClusterOptions {
  readonly nextChunkBytes?: () => number;
}

export async function openWorld2(options: ClientOptions = {}, world: WorldOptions = {}): Promise<World2> {
  const { nextChunkBytes, ...clusterOptions } = world;
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, ...(nextChunkBytes === undefined ? {} : { nextChunkBytes }) });
  const cluster = await ScriptedCluster.open(network, clusterOptions);
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent): void => void events.push(event);
  const client = connect(cluster.addresses, { clock, network, random: () => 0.5, onEvent, ...options });
  const close = async (): Promise<void> => {
    cluster.script = () => 'serve';
    await finish(client.close(), clock);
  };
  return { clock, network, cluster, client, events, [Symbol.asyncDispose]: close };
}

/** Turns the clock until the promise has settled. @throws what it rejects with, or an Error when it stays pending for `limitMs`. */
export async function finish<Result>(
  promise: Promise<Result>,
  clock: VirtualClock,
  limitMs = 120_000,
): Promise<Result> {
  const watch = { isSettled: false };
  const watched = promise.finally(() => {
    watch.isSettled = true;
  });
  watched.catch(() => {});
  const end = clock.now() + limitMs;
  await settle();
  while (!watch.isSettled && clock.now() < end) await clock.advanceAsync(10);
  if (!watch.isSettled) throw new Error(`still pending after ${limitMs} ms`);
  return await watched;
}

/** The error that the promise rejects with. @throws when it does not, or with something else. */
export async function failureIn(promise: Promise<unknown>, clock: VirtualClock): Promise<ClientError> {
  const error = await finish(
    promise.then(
      () => 'no failure',
      (reason: unknown) => reason,
    ),
    clock,
  );
  if (!(error instanceof ClientError)) throw new Error(`expected a ClientError, got ${String(error)}`);
  return error;
}
