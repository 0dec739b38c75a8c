/** State-machine safety (paper figure 3): what one replica has applied at an index, and what that made of its state, is the same at every replica. */

import { equalBytes } from '@kayadb/codec';
import type { Entry, LogIndex, NodeId, Term } from '@kayadb/raft';

import { decodeCommand } from '../node/command.ts';
import type { MachineState } from '../node/machine-state.ts';
import type { Fail } from './node-view.ts';

export interface AppliedCommand {
  readonly index: LogIndex;
  readonly term: number;
  /** What the state machine answers. */
  readonly result: number;
}

export class ApplyCheck {
  readonly #fail: Fail;
  readonly #entries = new Map<LogIndex, Entry>();
  readonly #hashes = new Map<LogIndex, number>();
  readonly #commands = new Map<number, AppliedCommand>();

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  /** Where the command `id` was applied. */
  find(id: number): AppliedCommand | undefined {
    return this.#commands.get(id);
  }

  /** @param durable - What the node itself has durably at the entry's index: a state machine is never ahead of its own log. */
  applied(node: NodeId, entry: Entry, state: MachineState, durable: Term | 'covered' | undefined): void {
    const { index, term, data } = entry;
    if (durable !== term && durable !== 'covered') {
      this.#fail(`node ${node} has applied ${index} of term ${term}, and holds ${durable} durably`);
    }
    const known = this.#entries.get(index);
    if (known === undefined) this.#note(entry, state);
    else if (known.term !== term || !equalBytes(known.data, data)) {
      this.#fail(`node ${node} has applied another entry at ${index}: of term ${term}, not ${known.term}`);
    }
    this.reached(node, { ...state, index });
  }

  reached(node: NodeId, { index, hash }: MachineState): void {
    const known = this.#hashes.get(index);
    if (known === undefined) this.#hashes.set(index, hash);
    else if (known !== hash) this.#fail(`the state of node ${node} at ${index} is not that of the others`);
  }

  #note(entry: Entry, state: MachineState): void {
    const { index, term, data } = entry;
    this.#entries.set(index, entry);
    const { id } = decodeCommand(data);
    const earlier = this.#commands.get(id);
    if (earlier !== undefined) this.#fail(`command ${id} was applied at ${earlier.index} and at ${index}`);
    this.#commands.set(id, { index, term, result: state.count });
  }
}
