/** A machine on a simulated disk, with the log that feeds it. Each test owns its world. */

import { type EngineOptions, openEngine } from '@kayadb/engine';
import type { Configuration, Entry, Snapshot } from '@kayadb/raft';
import { seededRandom, VirtualClock } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { type FakeProcess, fakeProcessWorld, MemoryFileSystem } from '@kayadb/vfs/testing';

import type { Command } from '../../src/machine/command.ts';
import { encodeCommand } from '../../src/machine/encode-command.ts';
import { listStores, storePath } from '../../src/machine/group-folders.ts';
import { KayaMachine } from '../../src/machine/kaya-machine.ts';
import type { MachineTime } from '../../src/machine/machine-writer.ts';

export const GROUP = '/group';

export const CONFIGURATION: Configuration = {
  voters: [1],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** Sizes so small that a few hundred commands reach several tables and levels. */
const SMALL: EngineOptions = {
  memtableBytes: 4096,
  blockBytes: 256,
  tableBytes: 4096,
  level0Tables: 2,
  level1Bytes: 8192,
  blockCacheBytes: 16_384,
};

const processes = fakeProcessWorld();
let boots = 0;

export interface WorldOptions {
  /** Stores, of which the engine makes the identity, differ between nodes. */
  readonly seed?: number;
  readonly engine?: EngineOptions;
  readonly time?: MachineTime;
}

export class MachineWorld {
  readonly fs: FileSystem;
  readonly warnings: string[] = [];
  readonly #options: WorldOptions;
  readonly #bootId = `machine-${++boots}`;
  #process: FakeProcess | undefined;

  constructor(fs: FileSystem, options: WorldOptions = {}) {
    this.fs = fs;
    this.#options = options;
  }

  static async create(fs: FileSystem = new MemoryFileSystem(), options: WorldOptions = {}): Promise<MachineWorld> {
    await fs.makeDirectory(GROUP);
    await fs.syncDirectory('/');
    return new MachineWorld(fs, options);
  }

  /** As a new process, the one before having died. */
  open(snapshot?: Snapshot): Promise<KayaMachine> {
    return KayaMachine.open({
      fs: this.fs,
      directory: GROUP,
      engine: this.#engineOptions(),
      ...(this.#options.time ?? { clock: new VirtualClock(), yieldTurn: () => Promise.resolve() }),
      snapshot,
      onWarning: (message) => this.warnings.push(message),
    });
  }

  /** Every row of the newest store, as text, the machine's own ones too. Requires: no machine is open. */
  async rows(): Promise<readonly string[]> {
    const newest = (await listStores(this.fs, GROUP)).at(-1)!;
    await using engine = await openEngine(storePath(GROUP, newest), { ...this.#engineOptions(), log: 'external' });
    const rows: string[] = [];
    for await (const { key, value } of engine.scan()) rows.push(`${toText(key)} = ${toHex(value)}`);
    return rows;
  }

  #engineOptions(): EngineOptions {
    this.#process?.kill();
    this.#process = processes.start({ bootId: this.#bootId });
    const random = seededRandom(this.#options.seed ?? 1);
    return {
      ...SMALL,
      ...this.#options.engine,
      fileSystem: this.fs,
      clock: new VirtualClock(),
      processes: this.#process,
      randomBytes: (count) => random.bytes(count),
    };
  }
}

/** Entries of the log from index 1 on; `undefined` stands for one that is not for the machine. */
export function entriesOf(commands: readonly (Command | undefined)[], first = 1, term = 1): readonly Entry[] {
  return commands.flatMap((command, i) =>
    command === undefined ? [] : [{ index: first + i, term, kind: 'normal' as const, data: encodeCommand(command) }],
  );
}

/** The part of `entries` from one index up to another. */
export function between(entries: readonly Entry[], from: number, to: number): readonly Entry[] {
  return entries.filter(({ index }) => index >= from && index <= to);
}

export function snapshotAt(index: number, data: Uint8Array, term = 1): Snapshot {
  return { meta: { index, term, configuration: CONFIGURATION }, data };
}

function toText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte > 32 && byte < 127 ? String.fromCharCode(byte) : `<${byte.toString(16)}>`,
  ).join('');
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
