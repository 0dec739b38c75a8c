/** Log lines for connections on the nodes' port that were turned away. Bound: that of `LineRation`, by address and reason. */

import type { Clock } from '@kayadb/codec';
import {
  formatEndpoint,
  type Greeting,
  type PeerOrigin,
  type PeerVerdict,
  type TransportError,
} from '@kayadb/transport';

import type { Logger } from '../logger.ts';
import { LineRation } from './line-ration.ts';

export class TurnedAwayLog {
  readonly #logger: Logger;
  readonly #ration: LineRation;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#ration = new LineRation(clock);
  }

  /** Of nodes that find each other for the first time each tells the other that it has no cluster: that is no trouble. */
  write(
    { code, message }: TransportError,
    { remoteAddress }: PeerOrigin,
    greeting: Greeting | undefined,
    verdict: PeerVerdict | undefined,
  ): void {
    const { host } = remoteAddress;
    const what = `a connection on the nodes' port was turned away: ${message}`;
    const fields = { event: 'peer.turned-away', peer: greeting?.sender, from: host, code };
    if (verdict === 'no-cluster') {
      this.#logger.debug(fields, what);
      return;
    }
    // Each connection has another port.
    const admitted = this.#ration.admit(`${host} ${message.replace(formatEndpoint(remoteAddress), '')}`);
    if (admitted === undefined) return;
    this.#logger.warn({ ...fields, ...admitted }, what);
  }
}
