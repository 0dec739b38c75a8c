/** Log lines for connections on the nodes' port that were turned away. Bound: that of `LineRation`, by address and reason. */

import type { Clock } from '@kayadb/codec';
import { formatEndpoint, type Greeting, type PeerOrigin, type TransportError } from '@kayadb/transport';

import type { Logger } from '../logger.ts';
import { LineRation } from './line-ration.ts';

export class TurnedAwayLog {
  readonly #logger: Logger;
  readonly #ration: LineRation;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#ration = new LineRation(clock);
  }

  write({ code, message }: TransportError, { remoteAddress }: PeerOrigin, greeting: Greeting | undefined): void {
    const { host } = remoteAddress;
    // Each connection has another port.
    const admitted = this.#ration.admit(`${host} ${message.replace(formatEndpoint(remoteAddress), '')}`);
    if (admitted === undefined) return;
    const fields = { event: 'peer.turned-away', peer: greeting?.sender, from: host, code, ...admitted };
    this.#logger.warn(fields, `a connection on the nodes' port was turned away: ${message}`);
  }
}
