/**
 * A core and a host that does for it, at once and in memory, what the synchronous contract of docs/internals/raft.md asks for: persist, send,
 * apply, advance. Messages are given to the caller, who may lose them. The core checks its invariants after every input.
 */

import { configChangeOf } from '../core/config-change-encoding.ts';
import type { CoreConfig } from '../core/config.ts';
import type { RaftEvent } from '../core/events.ts';
import type { Message } from '../core/message.ts';
import type { StepOutcome } from '../core/outcome.ts';
import { RaftCore } from '../core/raft-core.ts';
import type { ReadState, Ready } from '../core/ready.ts';
import type { ProgressView, Status } from '../core/status.ts';
import type { Configuration, Entry, HardState, LogIndex, NodeId, Snapshot, Term } from '../core/types.ts';
import { entriesOf } from './entries.ts';
import { MemoryLogStorage } from './memory-log-storage.ts';
import { configurationOf, textOf } from './test-messages.ts';

/** What a core is told about itself, but for what a test node sees to. Elections take 10 ticks and heartbeats 1, if nothing else is said. */
export type TestCoreOptions = Partial<Omit<CoreConfig, 'id' | 'storage' | 'asyncStorageWrites'>>;

export interface TestNodeOptions extends TestCoreOptions {
  readonly id: NodeId;
  readonly voters?: readonly NodeId[];
  readonly learners?: readonly NodeId[];
  /** In the place of `voters` and `learners`. */
  readonly configuration?: Configuration;
  /** Of the entries of the log, all of them empty, from index 1 on. */
  readonly terms?: readonly Term[];
  /** What is left out: the term of the last entry, no vote, nothing committed. */
  readonly hardState?: Partial<HardState>;
  /** In the place of all that; for instance of a node that starts again. */
  readonly storage?: MemoryLogStorage;
}

export class TestNode {
  readonly id: NodeId;
  readonly core: RaftCore;
  readonly storage: MemoryLogStorage;
  readonly #options: TestNodeOptions;
  readonly #events: RaftEvent[] = [];
  #applied: Entry[] = [];
  #readStates: ReadState[] = [];
  #restored: Snapshot[] = [];

  constructor(options: TestNodeOptions) {
    const { id, voters: _voters, learners: _learners, configuration: _configuration, terms: _terms, ...rest } = options;
    const { hardState: _hardState, storage: _storage, ...coreOptions } = rest;
    this.#options = options;
    this.id = id;
    this.storage = options.storage ?? storageOf(options);
    this.core = new RaftCore({
      electionTicks: 10,
      heartbeatTicks: 1,
      random: () => 0,
      checkInvariants: true,
      ...coreOptions,
      id,
      storage: this.storage,
      onEvent: (event) => {
        this.#events.push(event);
        coreOptions.onEvent?.(event);
      },
    });
  }

  get status(): Status {
    return this.core.status();
  }

  /** What the node, which leads, knows of `id`. @throws RangeError when it knows nothing. */
  progressOf(id: NodeId): ProgressView {
    const progress = this.status.progress.get(id);
    if (progress === undefined) throw new RangeError(`node ${this.id} has no progress of ${id}`);
    return progress;
  }

  /** All that was applied since the start, those entries left out for which a snapshot came. */
  get applied(): readonly Entry[] {
    return this.#applied;
  }

  /** The payloads of what was applied, without entries for nobody and changes of the configuration. */
  get appliedTexts(): readonly string[] {
    return this.#applied
      .filter(({ kind, data }) => kind === 'normal' && data.length > 0)
      .map(({ data }) => textOf(data));
  }

  /** Snapshots that took the place of the state machine. */
  get restored(): readonly Snapshot[] {
    return this.#restored;
  }

  /** Of what the core told of its own doing. */
  eventsOf<K extends RaftEvent['kind']>(kind: K): readonly Extract<RaftEvent, { kind: K }>[] {
    return this.#events.filter((event): event is Extract<RaftEvent, { kind: K }> => event.kind === kind);
  }

  /** The terms of the log, from its first entry on, as the core would see it after a restart. Requires: `drain` was called. */
  get logTerms(): readonly Term[] {
    const { firstIndex, lastIndex } = this.storage;
    return Array.from({ length: lastIndex - firstIndex + 1 }, (_, i) => Number(this.storage.term(firstIndex + i)));
  }

  step(message: Message): StepOutcome {
    return this.core.step(message);
  }

  /** As `step`, and hands over what it leads to. */
  receive(message: Message): readonly Message[] {
    this.core.step(message);
    return this.drain();
  }

  tick(count = 1): void {
    for (let i = 0; i < count; i++) this.core.tick();
  }

  /** Ticks, doing at each what there is to do. */
  tickAndDrain(count = 1): readonly Message[] {
    return Array.from({ length: count }, () => {
      this.core.tick();
      return this.drain();
    }).flat();
  }

  /** Does all that the core has to do, and what follows from that. @returns The messages that are to be sent. */
  drain(): readonly Message[] {
    const messages: Message[] = [];
    while (this.core.hasReady) {
      const ready = this.core.ready();
      this.persist(ready);
      messages.push(...ready.messages);
      this.apply(ready);
      this.core.advance();
    }
    return messages;
  }

  /** The first duty: what is to be durable becomes so. */
  persist({ snapshot, entries, hardState }: Ready): void {
    if (snapshot !== undefined) this.storage.applySnapshot(snapshot);
    this.storage.append(entries);
    if (hardState !== undefined) this.storage.setHardState(hardState);
  }

  /** The last duty before `advance`: the state machine follows, and changes of the configuration come into force. */
  apply({ snapshot, committedEntries, readStates }: Ready): void {
    if (snapshot !== undefined) {
      this.#restored.push(snapshot);
      this.#applied = [];
    }
    this.#readStates.push(...readStates);
    for (const entry of committedEntries) {
      this.#applied.push(entry);
      if (entry.kind !== 'normal') this.core.applyConfigChange(configChangeOf(entry));
    }
  }

  /** Takes the reads that may be answered. */
  takeReadStates(): readonly ReadState[] {
    const states = this.#readStates;
    this.#readStates = [];
    return states;
  }

  /** Makes a snapshot of all that is applied, and lets go of the entries up to `upTo`, or of all that it stands for. */
  compact(upTo?: LogIndex): Snapshot {
    const { applied, configuration } = this.status;
    const snapshot = this.storage.createSnapshot(applied, configuration, new Uint8Array(0));
    this.storage.compact(upTo ?? applied);
    return snapshot;
  }

  /** The same node after a crash: all that it had not persisted is gone. */
  restarted(): TestNode {
    return new TestNode({ ...this.#options, storage: this.storage });
  }
}

function storageOf(options: TestNodeOptions): MemoryLogStorage {
  const { voters = [], learners = [], terms = [] } = options;
  const storage = new MemoryLogStorage();
  storage.bootstrap(options.configuration ?? configurationOf(voters, { learners }));
  storage.append(entriesOf(1, ...terms));
  storage.setHardState({ term: terms.at(-1) ?? 0, vote: 0, commit: 0, ...options.hardState });
  return storage;
}
