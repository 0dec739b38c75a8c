/**
 * Log lines for connections on the nodes' port that were turned away: anybody who reaches it can make as many as they like, and is not to fill a disk with them.
 *
 * Bound: `MAX_LINES` in `WINDOW_MS`, each for another address and reason. The rest is counted, and the next line tells how many there were.
 */

import type { Clock } from '@kayadb/codec';
import { formatEndpoint, type Greeting, type PeerOrigin, type TransportError } from '@kayadb/transport';

import type { Logger } from '../logger.ts';

const WINDOW_MS = 60_000;
const MAX_LINES = 50;

export class TurnedAwayLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** What was told in this window. */
  readonly #told = new Set<string>();
  #windowEndMs = 0;
  #untold = 0;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  write({ code, message }: TransportError, { remoteAddress }: PeerOrigin, greeting: Greeting | undefined): void {
    const { host } = remoteAddress;
    // Each connection has another port.
    if (!this.#isDue(`${host} ${message.replace(formatEndpoint(remoteAddress), '')}`)) {
      this.#untold++;
      return;
    }
    const untold = this.#untold === 0 ? {} : { untold: this.#untold };
    this.#untold = 0;
    const fields = { event: 'peer.turned-away', peer: greeting?.sender, from: host, code, ...untold };
    this.#logger.warn(fields, `a connection on the nodes' port was turned away: ${message}`);
  }

  #isDue(what: string): boolean {
    const now = this.#clock.now();
    if (now >= this.#windowEndMs) {
      this.#told.clear();
      this.#windowEndMs = now + WINDOW_MS;
    }
    if (this.#told.has(what) || this.#told.size >= MAX_LINES) return false;
    this.#told.add(what);
    return true;
  }
}
