import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import type { StorageAppend } from '../core/message.ts';
import { APPEND_THREAD } from '../core/types.ts';
import type { StorageBatch } from '../storage/raft-storage.ts';
import { AppendLane } from './append-lane.ts';

const LIMITS = { maxWrites: 4, maxWriteBytes: 1000, diskFullRetryTicks: 2 };

/** A lane whose writes end when the test says so. Works are told apart by the term of their hard state. */
class World {
  readonly log: string[] = [];
  readonly #ends: { readonly term: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] =
    [];
  readonly lane = new AppendLane(
    {
      write: (batch) => this.#write(batch),
      onDurable: (work) => void this.log.push(`durable ${work.hardState?.term ?? 'nothing'}`),
      onDiskFull: () => void this.log.push('full'),
      onRoom: () => void this.log.push('room'),
      onFailed: (cause) => void this.log.push(`failed ${(cause as Error).message}`),
    },
    LIMITS,
  );

  push(...terms: readonly (number | undefined)[]): void {
    for (const term of terms) this.lane.push(workOf(term));
  }

  async end(term: number, error?: unknown): Promise<void> {
    const at = this.#ends.findIndex((end) => end.term === term);
    const [end] = this.#ends.splice(at, 1);
    if (error === undefined) end!.resolve();
    else end!.reject(error);
    await Promise.resolve();
    await Promise.resolve();
  }

  takeLog(): readonly string[] {
    return this.log.splice(0);
  }

  #write({ hardState }: StorageBatch): Promise<void> {
    const term = hardState?.term ?? 0;
    this.log.push(`write ${term}`);
    return new Promise((resolve, reject) => {
      this.#ends.push({ term, resolve, reject });
    });
  }
}

function workOf(term: number | undefined): StorageAppend {
  const hardState = term === undefined ? undefined : { term, vote: 1, commit: 0 };
  return {
    kind: 'storage-append',
    from: 1,
    to: APPEND_THREAD,
    entries: [],
    hardState,
    snapshot: undefined,
    responses: [],
  };
}

const FULL = new FileSystemError('ENOSPC', 'write', 'log');

describe('AppendLane', () => {
  test('has several writes under way, and releases them in order, whichever ends first', async () => {
    const world = new World();
    world.push(1, 2, 3);

    await world.end(3);
    await world.end(1);
    const early = world.takeLog();
    await world.end(2);

    expect(early).toEqual(['write 1', 'write 2', 'write 3', 'durable 1']);
    expect(world.takeLog()).toEqual(['durable 2', 'durable 3']);
    expect(world.lane).toMatchObject({ count: 0, bytes: 0 });
  });

  test('releases work without anything to write behind what is before it, without a write', async () => {
    const world = new World();
    world.push(undefined);
    world.push(1, undefined);

    const before = world.takeLog();
    await world.end(1);

    expect(before).toEqual(['durable nothing', 'write 1']);
    expect(world.takeLog()).toEqual(['durable 1', 'durable nothing']);
  });

  test('releases nothing any more after a failure, and starts nothing', async () => {
    const world = new World();
    world.push(1, 2, 3);

    await world.end(2, new Error('EIO'));
    await world.end(1);
    await world.end(3);
    world.push(4);

    expect(world.takeLog()).toEqual(['write 1', 'write 2', 'write 3', 'failed EIO']);
  });

  test('writes the whole row again after a full disk, the first of it alone', async () => {
    const world = new World();
    world.push(1, 2, 3);
    await world.end(1);
    await world.end(2, FULL);
    await world.end(3, FULL);
    world.push(4);
    world.takeLog();

    world.lane.tick();
    const tooEarly = world.takeLog();
    world.lane.tick();
    const probe = world.takeLog();
    await world.end(2);
    const rest = world.takeLog();
    await world.end(3);
    await world.end(4);

    expect(tooEarly).toEqual([]);
    expect(probe).toEqual(['write 2']);
    expect(rest).toEqual(['durable 2', 'room', 'write 3', 'write 4']);
    expect(world.takeLog()).toEqual(['durable 3', 'durable 4']);
    expect(world.lane.isDiskFull).toBe(false);
  });

  test('writes again what went through behind a failed write, so that no older state ends up on top', async () => {
    const world = new World();
    world.push(1, 2);

    await world.end(1, FULL);
    await world.end(2);
    world.takeLog();
    world.lane.tick();
    world.lane.tick();
    await world.end(1);

    expect(world.takeLog()).toEqual(['write 1', 'durable 1', 'room', 'write 2']);
  });

  test('tries again for as long as the disk stays full, and tells of it once', async () => {
    const world = new World();
    world.push(1);
    await world.end(1, FULL);

    for (let attempt = 0; attempt < 3; attempt++) {
      world.lane.tick();
      world.lane.tick();
      await world.end(1, FULL);
    }

    expect(world.takeLog()).toEqual(['write 1', 'full', 'write 1', 'write 1', 'write 1']);
    expect(world.lane.isDiskFull).toBe(true);
  });

  test('takes what is thrown at once for a failure', async () => {
    const failures: unknown[] = [];
    const lane = new AppendLane(
      {
        write: () => {
          throw new TypeError('no batch');
        },
        onDurable: () => {},
        onDiskFull: () => {},
        onRoom: () => {},
        onFailed: (cause) => void failures.push(cause),
      },
      LIMITS,
    );

    lane.push(workOf(1));
    await lane.idle();

    expect(failures).toMatchObject([{ message: 'no batch' }]);
  });

  test('knows how old its oldest work is, and how full it is', () => {
    const { lane } = new World();
    lane.push(workOf(1));
    lane.tick();
    lane.push(workOf(2));
    lane.tick();

    const early = { age: lane.oldestAgeTicks, isFull: lane.isFull };
    for (let term = 3; term <= 8; term++) lane.push(workOf(term));

    expect(early).toEqual({ age: 2, isFull: false });
    expect(lane).toMatchObject({ isFull: true, isOverfull: true });
  });
});
