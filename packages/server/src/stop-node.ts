/**
 * The graceful end of a node, bounded in time: no new connections, answers to what was begun, then the engine.
 * Clients get most of the time and the engine the rest: an engine that is not closed loses nothing but is slower to open.
 */

import type { Clock, Timer } from '@kayadb/codec';
import type { Listener } from '@kayadb/transport';

import type { Logger } from './logger.ts';
import type { ConnectionHandler } from './protocol/connection-handler.ts';
import type { ServedEngine } from './served-engine.ts';
import { ServerError } from './server-error.ts';

/** Part of the deadline after which clients that have not taken their answers are cut off. */
const CLIENTS_SHARE = 0.5;

export interface StopNodeOptions {
  readonly listener: Listener | undefined;
  readonly handlers: ReadonlySet<ConnectionHandler>;
  readonly engine: ServedEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlineMs: number;
}

/** @throws ServerError KAYA_STOP_TIMEOUT when the engine did not close in time; whatever its close failed with. */
export async function stopNode(options: StopNodeOptions): Promise<void> {
  const { listener, handlers, engine, clock, logger, deadlineMs } = options;
  const deadline = clock.now() + deadlineMs;
  await listener?.close();
  const open = [...handlers];
  for (const handler of open) handler.stop();
  const finished = Promise.all(open.map((handler) => handler.finished));
  if (!(await settlesWithin(finished, deadlineMs * CLIENTS_SHARE, clock))) {
    logger.warn(
      { event: 'node.cut', connections: handlers.size },
      'cutting off clients that did not take their answers',
    );
    for (const handler of open) handler.destroy();
    await finished;
  }
  if (!(await settlesWithin(engine.close(), deadline - clock.now(), clock))) {
    const message = `the engine was not closed within ${deadlineMs} ms; nothing acknowledged is lost, the next start replays the log`;
    throw new ServerError('KAYA_STOP_TIMEOUT', message);
  }
}

/** @returns false when the time is over first; what comes later is not waited for, and its failure not reported. */
async function settlesWithin(work: Promise<unknown>, limitMs: number, clock: Clock): Promise<boolean> {
  let timer: Timer | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = clock.setTimer(Math.max(0, limitMs), () => resolve(false));
  });
  const settled = async (): Promise<boolean> => {
    await work;
    return true;
  };
  try {
    return await Promise.race([settled(), timeout]);
  } finally {
    timer?.cancel();
  }
}
