/**
 * The graceful end of a node, bounded in time: no new connections, answers to what was begun, then the engine.
 * Clients get most of the time and the engine the rest: an engine that is not closed loses nothing but is slower to open.
 */

import type { Clock } from '@kayadb/codec';

import type { ClientDoor } from './client-door.ts';
import type { ServedEngine } from './served-engine.ts';
import { ServerError } from './server-error.ts';
import { settlesWithin } from './settles-within.ts';

/** Part of the deadline after which clients that have not taken their answers are cut off. */
const CLIENTS_SHARE = 0.5;

export interface StopNodeOptions {
  readonly door: ClientDoor;
  readonly engine: ServedEngine;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/** @throws ServerError KAYA_STOP_TIMEOUT when the engine did not close in time; whatever its close failed with. */
export async function stopNode({ door, engine, clock, deadlineMs }: StopNodeOptions): Promise<void> {
  const deadline = clock.now() + deadlineMs;
  await door.stop(deadlineMs * CLIENTS_SHARE);
  if (!(await settlesWithin(engine.close(), deadline - clock.now(), clock))) {
    const message = `the engine was not closed within ${deadlineMs} ms; nothing acknowledged is lost, the next start replays the log`;
    throw new ServerError('KAYA_STOP_TIMEOUT', message);
  }
}
