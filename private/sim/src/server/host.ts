/** A machine as the network sees it: whatever reaches the process on it passes that one's gate. */

import type { Clock } from '@kayadb/codec';
import type { ListenOptions } from '@kayadb/transport';

import type { ProcessGate } from '../world/process-gate.ts';
import type { SimStream } from './sim-stream.ts';

/** Somebody listens. */
export interface Door {
  readonly options: ListenOptions;
  readonly clock: Clock;
}

export class Host {
  readonly id: number;
  /** Of the process that runs; undefined while there is none. */
  gate: ProcessGate | undefined;
  /** The power is off: nobody is told anything. */
  isDark = false;
  readonly doors = new Map<number, Door>();
  /** Ends of connections that are not over. */
  readonly streams = new Set<SimStream>();
  /** Ends that vanished with the power: the others hear of it when it is back. */
  readonly #vanished: SimStream[] = [];

  constructor(id: number) {
    this.id = id;
  }

  enter(run: () => void): void {
    this.gate?.enter(run);
  }

  boot(gate: ProcessGate): void {
    this.gate = gate;
    this.isDark = false;
    for (const stream of this.#vanished.splice(0)) stream.reset();
  }

  die(isPowerLoss: boolean): void {
    this.gate = undefined;
    this.isDark = isPowerLoss;
    this.doors.clear();
    for (const stream of this.streams) {
      stream.vanish();
      if (isPowerLoss) this.#vanished.push(stream);
      else stream.reset();
    }
  }
}
