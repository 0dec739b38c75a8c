/**
 * Opens what a crash has left and compares it with what is owed: it opens, every acknowledged write is there, and what it holds is a
 * state that the store went through, so no batch is half there and nothing deleted has come back.
 *
 * Invariant: no two disks alike are opened for the same state of affairs; what the first showed is compared again.
 */

import type { Engine } from '@kayadb/engine';
import type { SeededRandom } from '@kayadb/testkit';
import { crashClone, type CrashMode, crashModes, diskFingerprint, type MemoryFileSystem } from '@kayadb/vfs/testing';

import type { Findings } from '../report.ts';
import { contentOf, ProofWorld } from '../workload/proof-world.ts';
import { checkFurtherUse } from './check-further-use.ts';
import { type CrashHistory, describeContent, type Owed, type OwedCheckpoint } from './crash-history.ts';
import type { CrashSetting } from './crash-setting.ts';
import type { CrashFailure, CrashTally } from './crash-tally.ts';
import type { CrashPoint } from './record-workload.ts';

/** How often the costly looks are taken, 0 to 1. */
export interface CrashSampling {
  /** For each change of the disk that a recovery makes: the machine crashes again. */
  readonly againDuringRecovery: number;
  /** For each opened store: everything is verified; it is written to and opened again. */
  readonly furtherUse: number;
  /** For each checkpoint beside an opened store. While one is being made, all are opened. */
  readonly checkpoint: number;
}

export interface CrashCheckParts {
  readonly history: CrashHistory;
  readonly setting: CrashSetting;
  readonly sampling: CrashSampling;
  readonly random: SeededRandom;
  readonly tally: CrashTally;
  readonly findings: Findings;
  /** Says how to see it again. */
  readonly origin: string;
}

/** What an opened store showed. */
interface Shown {
  /** As `describeContent`. */
  readonly content: string;
  readonly durableIndex: number | undefined;
}

/** A moment of a recovery at which the machine crashes again. */
interface Again {
  readonly disk: MemoryFileSystem;
  readonly where: string;
  /** Whether the store had been opened by then. */
  readonly isOpen: boolean;
}

type Moment = Pick<CrashPoint, 'disk' | 'owed' | 'where' | 'isInCheckpoint'>;

/** Bound: crashes one after the other. */
const MAX_DEPTH = 2;

export class CrashCheck {
  readonly #parts: CrashCheckParts;
  readonly #shown = new Map<string, Shown>();

  constructor(parts: CrashCheckParts) {
    this.#parts = parts;
  }

  /** @returns Whether the disk was one that had not been opened before. */
  check(point: CrashPoint, mode: CrashMode): Promise<boolean> {
    return this.#check(point, mode, 0);
  }

  async #check(moment: Moment, mode: CrashMode, depth: number): Promise<boolean> {
    const { random, tally } = this.#parts;
    const disk = crashClone(moment.disk, mode, () => random.next());
    const where = `${moment.where}, crash ${JSON.stringify(mode)}`;
    // What is unsynced is there and can be lost yet: not the same as a disk that has it for good.
    const key = `${diskFingerprint(disk)}${mode.kind === 'everything' ? ' at risk' : ''}`;
    const known = this.#shown.get(key);
    if (known !== undefined) {
      tally.alike++;
      this.#judge(known, this.#due(moment.owed, mode), where);
      // The disk is the same, and may owe a checkpoint now that it did not owe then.
      await this.#findCheckpoints(disk, moment.owed, where);
      return false;
    }
    tally.countOpened(mode.kind, depth);
    const shown = await this.#open(disk, { ...moment, where }, mode, depth);
    if (shown !== undefined) this.#shown.set(key, shown);
    return true;
  }

  /** What is owed now: all answers if the machine did not lose anything. */
  #due({ durable, answered, submitted, checkpoints }: Owed, mode: CrashMode): Owed {
    const hasLog = this.#parts.setting.engine.log !== 'external';
    return { durable: hasLog && mode.kind === 'everything' ? answered : durable, answered, submitted, checkpoints };
  }

  async #open(disk: MemoryFileSystem, moment: Moment, mode: CrashMode, depth: number): Promise<Shown | undefined> {
    const { random, sampling } = this.#parts;
    const again: Again[] = [];
    let isOpen = false;
    const stop = disk.afterEachMutation(({ operation, path }) => {
      if (depth === MAX_DEPTH || !random.chance(sampling.againDuringRecovery)) return;
      const copy = crashClone(disk, { kind: 'everything' }, () => 0);
      again.push({ disk: copy, isOpen, where: `${moment.where}, recovery after ${operation} ${path}` });
    });
    const world = new ProofWorld(disk, `crash-${depth}`);
    try {
      const engine = await this.#openEngine(world, moment.where);
      if (engine === undefined) return undefined;
      isOpen = true;
      const content = describeContent(await contentOf(engine));
      const shown: Shown = { content: this.#shared(content), durableIndex: engine.durableIndex };
      const state = this.#judge(shown, this.#due(moment.owed, mode), moment.where);
      await this.#checkCheckpoints(disk, moment);
      await this.#useFurther(disk, world, engine, { content, where: moment.where, stop });
      await this.#crashAgain(again, moment, mode, state, depth);
      return shown;
    } catch (error) {
      this.#fail('other failures', `${moment.where}: ${String(error)}`);
      return undefined;
    } finally {
      stop();
      world.die();
    }
  }

  async #useFurther(
    disk: MemoryFileSystem,
    world: ProofWorld,
    engine: Engine,
    { content, where, stop }: { readonly content: string; readonly where: string; readonly stop: () => void },
  ): Promise<void> {
    const { setting, random, sampling, tally } = this.#parts;
    if (!random.chance(sampling.furtherUse)) return engine.close();
    // What is written now is no state of the history.
    stop();
    const problem = await checkFurtherUse({ disk, world, engine, setting, content, random, tally }).catch(
      (error: unknown) => `further use fails: ${String(error)}`,
    );
    if (problem !== undefined) this.#fail('other failures', `${where}: ${problem}`);
  }

  async #crashAgain(
    again: readonly Again[],
    moment: Moment,
    mode: CrashMode,
    state: number,
    depth: number,
  ): Promise<void> {
    const { random } = this.#parts;
    const { owed } = moment;
    // What the machine has lost is lost; what could be read once is there for good.
    const after: Owed = mode.kind === 'everything' ? owed : { ...owed, answered: owed.durable };
    const exactly: Owed = { ...owed, durable: state, answered: state, submitted: state };
    for (const next of again) {
      const [picked] = random.shuffle(crashModes(next.disk, () => random.next()));
      await this.#check({ ...moment, ...next, owed: next.isOpen ? exactly : after }, picked!, depth + 1);
    }
  }

  async #openEngine(world: ProofWorld, where: string, directory?: string): Promise<Engine | undefined> {
    try {
      return await world.open(this.#parts.setting.engine, directory);
    } catch (error) {
      this.#fail('refusals to open', `${where}: ${directory ?? 'the store'} does not open: ${String(error)}`);
      return undefined;
    }
  }

  /** @returns The state that the store is in, as far as can be told. */
  #judge({ content, durableIndex }: Shown, owed: Owed, where: string): number {
    const { history, tally } = this.#parts;
    tally.writesChecked += owed.durable;
    const state = durableIndex ?? history.findState(content, owed.submitted);
    if (state > owed.submitted || (state !== -1 && history.state(state) !== content)) {
      this.#fail('half or foreign states', `${where}: says that it is at index ${state}, and holds something else`);
    } else if (state === -1) {
      this.#fail('half or foreign states', `${where}: holds what the store never held`);
    } else if (state < owed.durable) {
      this.#fail(
        'acknowledged writes lost',
        `${where}: holds state ${state}, and owes ${owed.durable} of ${owed.submitted}`,
      );
    }
    return state;
  }

  /** @returns Those that are there. */
  async #findCheckpoints(disk: MemoryFileSystem, owed: Owed, where: string): Promise<readonly OwedCheckpoint[]> {
    const found: OwedCheckpoint[] = [];
    for (const checkpoint of owed.checkpoints) {
      if ((await disk.stat(checkpoint.path)) !== undefined) found.push(checkpoint);
      else if (checkpoint.isDurable)
        this.#fail('acknowledged writes lost', `${where}: ${checkpoint.path} was finished, and is gone`);
    }
    return found;
  }

  async #checkCheckpoints(disk: MemoryFileSystem, { owed, where, isInCheckpoint }: Moment): Promise<void> {
    const { history, random, sampling, tally } = this.#parts;
    for (const { path, state } of await this.#findCheckpoints(disk, owed, where)) {
      if (!random.chance(isInCheckpoint ? 1 : sampling.checkpoint)) continue;
      tally.checkpointsOpened++;
      const world = new ProofWorld(
        crashClone(disk, { kind: 'everything' }, () => 0),
        'checkpoint',
      );
      const engine = await this.#openEngine(world, where, path);
      if (engine === undefined) continue;
      if (describeContent(await contentOf(engine)) !== history.state(state)) {
        this.#fail('half or foreign states', `${where}: ${path} does not hold state ${state}`);
      }
      await engine.close();
      world.die();
    }
  }

  /** The history's own copy of the text, so that it is in memory once. */
  #shared(content: string): string {
    const { history } = this.#parts;
    const state = history.findState(content, history.submitted);
    return state === -1 ? content : history.state(state);
  }

  #fail(failure: CrashFailure, sentence: string): void {
    const { tally, findings, origin } = this.#parts;
    tally.failures[failure]++;
    findings.add(`${failure}: ${sentence} (${origin})`);
  }
}
