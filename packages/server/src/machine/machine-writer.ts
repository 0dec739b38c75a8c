/**
 * The road of committed entries into a store: decoded, executed, and written in as few batches as there may be.
 *
 * Invariant: a batch holds entries whole, sets the machine's row, and carries the index of its last entry; so after a crash the store stands for
 * an index of the log, whichever it is. Durability: none; the log has the entries.
 */

import { type Clock, DecodeError } from '@kayadb/codec';
import type { Engine } from '@kayadb/engine';
import type { Entry } from '@kayadb/raft';

import { CommandExecutor } from './command-executor.ts';
import type { CommandResult } from './command-result.ts';
import type { Command } from './command.ts';
import { decodeCommand } from './decode-command.ts';
import { MachineError } from './machine-error.ts';
import type { MachineState } from './machine-state.ts';
import { PendingRows } from './pending-rows.ts';
import { encodeMachineRow, MACHINE_KEY } from './rows.ts';

export interface MachineTime {
  readonly clock: Clock;
  /** Lets others have a turn. */
  readonly yieldTurn: () => Promise<void>;
}

/** Time for which others wait. */
const TURN_MS = 2;
/** A batch that is as large as one of these takes no further entry. */
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_OPERATIONS = 4096;
/** With more of them pending, whoever reads had better ask the store. */
const MAX_PENDING_RANGES = 64;

export class MachineWriter {
  readonly #engine: Engine;
  readonly #state: MachineState;
  readonly #time: MachineTime;
  readonly #pending = new PendingRows();
  readonly #executor: CommandExecutor;
  /** What the batches before stand for. */
  #writtenIndex: number;
  #hasNews = false;

  constructor(engine: Engine, state: MachineState, time: MachineTime) {
    this.#engine = engine;
    this.#state = state;
    this.#time = time;
    this.#writtenIndex = engine.durableIndex ?? 0;
    this.#executor = new CommandExecutor(state, this.#pending, (keys) => this.#find(keys));
  }

  /** As `StateMachine.apply`. What it throws is final: what is in memory may be ahead of the store. */
  async apply(entries: readonly Entry[], upTo: number): Promise<readonly CommandResult[]> {
    const { clock, yieldTurn } = this.#time;
    const results: CommandResult[] = [];
    let sinceMs = clock.now();
    // The largest command keeps others waiting for the longest of its steps, and not for all of them.
    const takeTurn = async (): Promise<void> => {
      await yieldTurn();
      sinceMs = clock.now();
    };
    const isDue = (): boolean => clock.now() - sinceMs >= TURN_MS;
    let last = this.#writtenIndex;
    for (const entry of entries) {
      const command = decodeEntry(entry);
      if (isDue()) await takeTurn();
      if (this.#pending.rangeCount > MAX_PENDING_RANGES && readsRows(command)) await this.#commit(last);
      const executed = this.#executor.execute(command, entry);
      results.push(executed instanceof Promise ? await executed : executed);
      this.#hasNews = true;
      last = entry.index;
      if (isDue()) await takeTurn();
      const isFull = this.#pending.bytes >= MAX_BATCH_BYTES || this.#pending.count >= MAX_BATCH_OPERATIONS;
      if (!isFull || entry.index === upTo) continue;
      await this.#commit(entry.index);
      if (isDue()) await takeTurn();
    }
    if (upTo > this.#writtenIndex) await this.#commit(upTo);
    return results;
  }

  /** @param index - What the store stands for then. Entries for nobody may be between the last command and it. */
  async #commit(index: number): Promise<void> {
    if (this.#hasNews) this.#pending.put(MACHINE_KEY, encodeMachineRow(this.#state.row));
    this.#hasNews = false;
    await this.#engine.batch(this.#pending.take(), { appliedIndex: index });
    this.#writtenIndex = index;
  }

  async #find(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    const found = keys.map((key) => this.#pending.find(key));
    const missing = keys.filter((_, i) => found[i] === undefined);
    if (missing.length === 0) return found.map((row) => row ?? undefined);
    const stored = missing.length === 1 ? [await this.#engine.get(missing[0]!)] : await this.#engine.getMany(missing);
    let next = 0;
    return found.map((row) => (row === undefined ? stored[next++] : (row ?? undefined)));
  }
}

function readsRows(command: Command): boolean {
  return command.kind === 'write' && command.write.conditions.length > 0;
}

/** @throws MachineError KAYA_UNSUPPORTED_COMMAND */
function decodeEntry({ index, data }: Entry): Command {
  try {
    return decodeCommand(data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new MachineError(
      'KAYA_UNSUPPORTED_COMMAND',
      `entry ${index} of the log holds no command that this program knows (${error.message}); start the node with the program that the others run`,
      { cause: error },
    );
  }
}
