/** A group of one over a real machine: what is proposed is applied, one command after the other, without a log of Raft. */

import type { Freshness, Row2, Write, WriteAnswer } from '@kayadb/codec';

import type { CommandResult } from '../../src/machine/command-result.ts';
import type { CommandBody } from '../../src/machine/command.ts';
import { encodeCommand } from '../../src/machine/encode-command.ts';
import type { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { ReplicaError } from '../../src/replica/replica-error.ts';
import type { ManyRows, Replica, RowScan, RowScanOptions, SessionGrant } from '../../src/replica/replica.ts';

export class MachineReplica implements Replica {
  readonly nodeId = 1;
  readonly #machine: KayaMachine;
  #index: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(machine: KayaMachine) {
    this.#machine = machine;
    this.#index = machine.appliedIndex;
  }

  async write(write: Write): Promise<WriteAnswer> {
    const result = await this.#propose({ kind: 'write', write });
    if (result.kind !== 'written') throw new TypeError(result.kind);
    return result.answer;
  }

  async openSession(expiryMs: number): Promise<SessionGrant> {
    const result = await this.#propose({ kind: 'open-session', expiryMs });
    if (result.kind !== 'session-opened') throw new TypeError(result.kind);
    return { session: result.session, expiryMs: result.expiryMs };
  }

  async touchSession(session: number): Promise<void> {
    await this.#propose({ kind: 'touch', session });
  }

  async closeSession(session: number): Promise<void> {
    await this.#propose({ kind: 'close-session', session });
  }

  async read<T>(_freshness: Freshness, task: () => Promise<T>): Promise<T> {
    await this.#turn;
    return task();
  }

  get(key: Uint8Array): Promise<Row2 | undefined> {
    return this.#machine.get(key);
  }

  getMany(keys: readonly Uint8Array[], maxBytes: number): Promise<ManyRows> {
    return this.#machine.getMany(keys, maxBytes);
  }

  scan(options: RowScanOptions): RowScan {
    return this.#machine.scan(options);
  }

  async #propose(body: CommandBody): Promise<CommandResult> {
    const index = ++this.#index;
    const entry = { index, term: 1, kind: 'normal' as const, data: encodeCommand({ ...body, timeMs: 1 }) };
    const applied = this.#turn.then(() => this.#machine.apply([entry], index));
    this.#turn = applied;
    const [result] = await applied;
    if (result?.kind !== 'refused') return result!;
    throw new ReplicaError(result.refusal === 'stale' ? 'KAYA_STALE_SERIAL' : 'KAYA_SESSION_EXPIRED', result.refusal);
  }
}
