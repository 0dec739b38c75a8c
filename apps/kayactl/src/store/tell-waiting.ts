/** What a person is told while a client tries again and again: silence for half a minute looks like a program that hangs. */

import type { ClientEvent } from '@kayadb/client';

import type { GlobalOptions } from '../global-options.ts';
import type { CommandContext } from '../invocation.ts';
import { plainText } from '../plain-text.ts';

/** An election takes less, and nobody needs to know of it. */
const PATIENCE_MS = 3_000;
const EVERY_MS = 10_000;

/** Tries that are further apart belong to different troubles: one try may take 5 seconds. */
const MAX_GAP_MS = 6_000;

/** Begins at the left, also when a bar stands there. */
const LINE_START = '\r\u001b[K';

type WaitingContext = Pick<CommandContext, 'io' | 'output'> & { readonly globals: Pick<GlobalOptions, 'json'> };

/** For one client. With `--json` nothing is told: stderr has one document then. */
export function tellWaiting({ io, output, globals }: WaitingContext): (event: ClientEvent) => void {
  const openedMs = io.clock.now();
  let beganMs = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let toldMs = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.kind !== 'retry' || globals.json) return;
    const now = io.clock.now();
    // A first connection has been waited for since the beginning.
    const isFirst = event.request === 'hello' && lastMs === Number.NEGATIVE_INFINITY;
    if (now - lastMs > MAX_GAP_MS) beganMs = isFirst ? openedMs : now;
    lastMs = now;
    if (now - beganMs < PATIENCE_MS || now - toldMs < EVERY_MS) return;
    toldMs = now;
    const start = output.stderr.isTTY === true ? LINE_START : '';
    output.stderr.write(`${start}NOTE: trying again: ${plainText(event.cause.message)}\n`);
  };
}
