/** Which new connections a listener takes, and the counts that show what it refused. */

import type { ListenerLimits } from './limits.ts';
import type { ListenerCounts } from './network.ts';

/** What the door counts; handshakes are counted behind it. */
export type AdmissionCounts = Omit<ListenerCounts, 'handshaking' | 'failedHandshakes'>;

export class Admission {
  readonly #limits: ListenerLimits;
  readonly #openByAddress = new Map<string, number>();
  #open = 0;
  #accepted = 0;
  #refusedTotal = 0;
  #refusedPerAddress = 0;

  constructor(limits: ListenerLimits) {
    this.#limits = limits;
  }

  get counts(): AdmissionCounts {
    return {
      open: this.#open,
      accepted: this.#accepted,
      refusedTotal: this.#refusedTotal,
      refusedPerAddress: this.#refusedPerAddress,
    };
  }

  /** @returns Whether the connection may stay; if so, `leave` is due when it has ended. */
  admit(host: string): boolean {
    const fromAddress = this.#openByAddress.get(host) ?? 0;
    if (this.#open >= this.#limits.maxConnections) {
      this.#refusedTotal++;
      return false;
    }
    if (fromAddress >= this.#limits.maxConnectionsPerAddress) {
      this.#refusedPerAddress++;
      return false;
    }
    this.#open++;
    this.#accepted++;
    this.#openByAddress.set(host, fromAddress + 1);
    return true;
  }

  leave(host: string): void {
    this.#open--;
    const left = (this.#openByAddress.get(host) ?? 0) - 1;
    if (left > 0) this.#openByAddress.set(host, left);
    else this.#openByAddress.delete(host);
  }
}
