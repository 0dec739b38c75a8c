/** A clock and a network that end with a process: what is left of it gets no turn any more and says nothing. */

import type { Clock, Timer } from '@kayadb/codec';
import type { Connection, DialOptions, Listener, ListenOptions, Network } from '@kayadb/transport';

export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#isDead) return { cancel: () => {} };
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  kill(): void {
    this.#isDead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}

export class MortalNetwork implements Network {
  readonly #network: Network;
  readonly #connections = new Set<Connection>();
  readonly #listeners: Listener[] = [];
  #isDead = false;

  constructor(network: Network) {
    this.#network = network;
  }

  async listen(options: ListenOptions): Promise<Listener> {
    const onConnection = (connection: Connection): void => {
      this.#connections.add(connection);
      if (this.#isDead) connection.destroy();
      else options.onConnection(connection);
    };
    const listener = await this.#network.listen({ ...options, onConnection });
    this.#listeners.push(listener);
    return listener;
  }

  async dial(options: DialOptions): Promise<Connection> {
    const connection = await this.#network.dial(options);
    this.#connections.add(connection);
    if (this.#isDead) connection.destroy();
    return connection;
  }

  async kill(): Promise<void> {
    this.#isDead = true;
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}
