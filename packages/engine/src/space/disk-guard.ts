/**
 * Watches the room on the disk: says when user writes are to be refused, and gives the reserve back to work that must not stop.
 *
 * Invariant: it only ever looks, and touches no file but RESERVE. A failure of either is told and changes nothing else: it never
 * poisons the store. docs/decisions/20261122-disk-reserve.md.
 */

import type { Clock, Timer } from '@kayadb/codec';
import { type DiskSpace, isDiskFull } from '@kayadb/vfs';

import { BackgroundLoop } from '../compaction/background-loop.ts';
import { EngineError } from '../errors.ts';
import type { EngineEvent } from '../types.ts';
import {
  decideDiskState,
  type DiskLimits,
  type DiskLook,
  type DiskState,
  neededBytes,
  shouldMakeReserve,
} from './disk-state.ts';
import { isPassing, type ReserveFile } from './reserve-file.ts';

export interface DiskGuardOptions {
  readonly limits: DiskLimits;
  readonly directory: string;
  readonly reserve: ReserveFile;
  readonly diskSpace: () => Promise<DiskSpace>;
  readonly clock: Clock;
  /** Whether writes may be refused: with an external log they come too late to be. */
  readonly mayRefuse: boolean;
  /** Asked before the reserve file is made. */
  readonly mayWrite: () => boolean;
  readonly onEvent: (event: EngineEvent) => void;
}

/** Time between two looks: while all is well, and while writers wait for room. */
const CALM_LOOK_MS = 5000;
const LOW_LOOK_MS = 1000;
/** Refused writers bring the next look forward, but not below this distance. */
const MIN_LOOK_MS = 100;
/** After the reserve could not be made: as when a quota is spent and the disk is not. */
const RETRY_RESERVE_MS = 10_000;
/** After the reserve was given back: with a quota the disk seems to have room for it at once, and the work that it was given to needs it. */
const HOLD_RESERVE_MS = 2000;
/** As long as that work goes on, but no longer than this: until the reserve is made again, puts are refused. */
const MAX_HOLD_RESERVE_MS = 30_000;
/** Bytes written between two looks: a share of the soft limit, so that writers cannot run through it between them. */
const LOOK_SHARE = 16;
const MAX_LOOK_BYTES = 4 * 1024 * 1024;

export class DiskGuard {
  /** Whether user writes that need room are to be refused now. A plain field: asked with every put. */
  refusesPuts = false;
  readonly isWatching: boolean;
  readonly #options: DiskGuardOptions;
  readonly #looks: BackgroundLoop;
  readonly #lookBytes: number;
  readonly #warned = new Set<string>();
  #limits: DiskLimits;
  #state: DiskState;
  #availableBytes: number | undefined;
  #untilLook: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #fullAtMs = Number.NEGATIVE_INFINITY;
  #isMaking = false;
  #reserveFailedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  /** How often the reserve was given back: tells work that failed before from work that failed after. */
  #releases = 0;
  /** Work that the reserve was given to. */
  #retryCount = 0;
  #releasing: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: DiskGuardOptions) {
    this.#options = options;
    const { lowBytes, reserveBytes } = options.limits;
    this.#limits = options.limits;
    this.isWatching = lowBytes > 0 || reserveBytes > 0;
    this.#state = this.isWatching ? 'ok' : 'unwatched';
    this.#lookBytes = lowBytes === 0 ? MAX_LOOK_BYTES : Math.min(MAX_LOOK_BYTES, Math.ceil(lowBytes / LOOK_SHARE));
    this.#untilLook = this.#lookBytes;
    this.#looks = new BackgroundLoop(() => this.#look());
  }

  get state(): DiskState {
    return this.#state;
  }

  /** As the last look found it; undefined before the first. */
  get availableBytes(): number | undefined {
    return this.#availableBytes;
  }

  /** What RESERVE holds. */
  get heldBytes(): number {
    return this.#options.reserve.heldBytes;
  }

  /** Takes a first look, so that the first write is judged already. Never rejects. */
  async open(): Promise<void> {
    if (!this.isWatching) return;
    try {
      await this.#options.reserve.find();
    } catch (error) {
      this.#warn('looking for the reserve file', error);
    }
    const look = await this.#measure();
    if (look !== undefined) this.#judge(look);
  }

  /** Looks now, and from then on by time; makes the reserve when there is room for it. */
  start(): void {
    this.kick();
  }

  /** Looks again soon: something has been written or removed. */
  kick(): void {
    if (this.isWatching && !this.#isClosed) this.#looks.kick();
  }

  /** Counts bytes that were written. Requires: `isWatching`. */
  noteWritten(bytes: number): void {
    this.#untilLook -= bytes;
    if (this.#untilLook > 0) return;
    this.#untilLook = this.#lookBytes;
    this.kick();
  }

  /** The error for a write that is refused. The next look comes sooner for it. */
  refusal(): EngineError {
    if (this.#options.clock.now() - this.#lookedAtMs >= MIN_LOOK_MS) this.kick();
    const left = `the disk of ${this.#options.directory} has ${this.#availableBytes ?? 'too few'} bytes left`;
    const needed = neededBytes(this.heldBytes, this.#limits);
    const why =
      this.#state === 'full'
        ? `${left}, but a write of the store found no room, so puts are refused until it has ${needed} and gives them`
        : `${left}, and puts are refused until it has ${needed}`;
    return new EngineError('KAYA_DISK_FULL', `${why}; free some space or delete keys`);
  }

  /**
   * Runs `work`, and once more when it finds no room and the reserve can be given back for it.
   * Requires: work that found no room has undone what it did.
   *
   * @throws What `work` throws, the second time if there is one.
   */
  async withRoom<T>(work: () => Promise<T>): Promise<T> {
    const releases = this.#releases;
    try {
      return await work();
    } catch (error) {
      if (!this.isWatching || !isDiskFull(error) || !(await this.#makeRoom(releases))) throw error;
      this.#retryCount++;
      try {
        return await work();
      } finally {
        this.#retryCount--;
        this.kick();
      }
    }
  }

  /** As the failure branch of `withRoom`, for work that did not run in it. @returns Whether to try again. */
  makeRoom(): Promise<boolean> {
    return this.#makeRoom(this.#releases);
  }

  /** Ends looking and making. RESERVE stays. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#options.reserve.close();
    await this.#looks.idle();
    this.#timer?.cancel();
  }

  /** @param releases - As it was when the work began: whoever finds the reserve given back meanwhile tries again. */
  async #makeRoom(releases: number): Promise<boolean> {
    this.#fullAtMs = this.#options.clock.now();
    this.#become('full');
    this.#releasing ??= this.#release().finally(() => {
      this.#releasing = undefined;
    });
    await this.#releasing;
    return this.#releases > releases;
  }

  async #release(): Promise<void> {
    try {
      if (await this.#options.reserve.release()) this.#releases++;
    } catch (error) {
      this.#warn('giving back the reserve file', error);
    }
    this.kick();
  }

  /** One look, what follows from it, and when to look next. @returns false: looking once is enough. */
  async #look(): Promise<false> {
    const look = await this.#measure();
    if (look !== undefined) {
      this.#judge(look);
      if (shouldMakeReserve(look, this.#limits)) this.#makeReserve();
    }
    this.#timer?.cancel();
    if (this.#isClosed) return false;
    this.#timer = this.#options.clock.setTimer(this.#state === 'ok' ? CALM_LOOK_MS : LOW_LOOK_MS, () => this.kick());
    return false;
  }

  /** Never rejects: whoever cannot look refuses nobody, and a write that finds no room says so. */
  async #measure(): Promise<DiskLook | undefined> {
    const { reserve, clock, diskSpace } = this.#options;
    this.#lookedAtMs = clock.now();
    try {
      const { availableBytes } = await diskSpace();
      this.#availableBytes = availableBytes;
      await reserve.lookAgain();
      return { availableBytes, heldBytes: reserve.heldBytes };
    } catch (error) {
      this.#warn('measuring the free space', error);
      return undefined;
    }
  }

  #judge(look: DiskLook): void {
    // What has just failed would fail again: with a spent quota the disk has room, and the store has none.
    if (this.#state === 'full' && this.#options.clock.now() - this.#fullAtMs < LOW_LOOK_MS) return;
    this.#become(decideDiskState(this.#state, look, this.#limits));
  }

  #makeReserve(): void {
    const { reserve, mayWrite, clock } = this.#options;
    if (this.#isMaking || this.#isClosed || !mayWrite()) return;
    if (clock.now() - this.#reserveFailedAtMs < RETRY_RESERVE_MS) return;
    const holdMs = this.#retryCount > 0 ? MAX_HOLD_RESERVE_MS : HOLD_RESERVE_MS;
    if (clock.now() - this.#fullAtMs < holdMs) return;
    this.#isMaking = true;
    reserve
      .make()
      .catch((error: unknown) => this.#reserveFailed(error))
      .finally(() => {
        this.#isMaking = false;
        this.kick();
      });
  }

  /** Where there is no room now it is tried again; a disk that refuses the file otherwise has to do without it. */
  #reserveFailed(error: unknown): void {
    this.#reserveFailedAtMs = this.#options.clock.now();
    if (isPassing(error)) return;
    this.#limits = { ...this.#limits, reserveBytes: 0 };
    this.#warn('making the reserve file', error);
  }

  #become(state: DiskState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.refusesPuts = this.#options.mayRefuse && (state === 'low' || state === 'full');
    this.#options.onEvent({ kind: 'disk-space', state, availableBytes: this.#availableBytes });
  }

  /** Each once: what fails at one look tends to fail at the next. */
  #warn(what: string, error: unknown): void {
    if (this.#warned.has(what)) return;
    this.#warned.add(what);
    this.#options.onEvent({ kind: 'warning', message: `${what} failed: ${(error as Error).message}` });
  }
}
