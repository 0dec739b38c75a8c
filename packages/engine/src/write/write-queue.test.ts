import { describe, expect, test } from 'vitest';

import { decodeOperations, WriteBatch } from '../key/write-batch.ts';
import type { WriteResult } from '../types.ts';
import type { PendingWrite } from './queued-write.ts';
import { WriteQueue, type WriteTarget } from './write-queue.ts';

/** A target that writes down what it is given, and syncs when the test says so. */
class ScriptedTarget implements WriteTarget {
  readonly rejected: PendingWrite[] = [];
  readonly log: string[] = [];
  readonly visible: string[] = [];
  room: Promise<void> | undefined;
  failNext: Error | undefined;
  #gate: Promise<void> | undefined;
  #open: () => void = () => undefined;
  #sequence = 0;

  /** From now on groups wait for `release`. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#gate = undefined;
    this.#open();
  }

  onRejected(refused: PendingWrite): void {
    this.rejected.push(refused);
  }

  makeRoom(): Promise<void> | undefined {
    const { room } = this;
    this.room = undefined;
    return room;
  }

  append(group: readonly PendingWrite[]): Promise<void> | undefined {
    this.log.push(group.map(({ payload }) => Buffer.from(payload).toString()).join(' '));
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
    return this.#gate;
  }

  apply({ payload }: PendingWrite): WriteResult {
    this.visible.push(Buffer.from(payload).toString());
    return { sequence: ++this.#sequence, lsn: 0, durable: true };
  }
}

function write(text: string): PendingWrite {
  return { payload: Buffer.from(text), count: 1, durability: 'strict' };
}

async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe('WriteQueue', () => {
  test('commits writes of one turn as one group', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);

    await Promise.all([queue.submit(write('a')), queue.submit(write('b')), queue.submit(write('c'))]);

    expect(target.log).toEqual(['a b c']);
  });

  test('gathers the next group while one is being committed', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    target.hold();
    const first = queue.submit(write('a'));
    await turns();

    const later = [queue.submit(write('b')), queue.submit(write('c'))];
    target.release();
    await Promise.all([first, ...later]);

    expect(target.log).toEqual(['a', 'b c']);
  });

  test('keeps a group under its size, but takes a larger write alone', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    const large = 'x'.repeat(700_000);

    await Promise.all(['1', '2', '3'].map((tag) => queue.submit(write(tag + large))));

    expect(target.log.map((group) => group.replaceAll('x', ''))).toEqual(['1', '2', '3']);
  });

  test('fails exactly the group whose commit failed', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    target.failNext = new Error('no');

    const outcomes = await Promise.allSettled([queue.submit(write('a')), queue.submit(write('b'))]);
    const after = await queue.submit(write('c'));

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(target.rejected.flatMap(({ payload }) => Buffer.from(payload).toString())).toEqual(['a', 'b']);
    expect(after.sequence).toBe(1);
  });

  test('refuses the waiting group when there will be no room', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    target.room = Promise.reject(new Error('full'));

    const outcomes = await Promise.allSettled([queue.submit(write('a')), queue.submit(write('b'))]);
    await queue.submit(write('c'));

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(target.log).toEqual(['c']);
  });

  test('runs a task alone, between the writes before and after it', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);

    const before = queue.submit(write('a'));
    const task = queue.runAlone(() => {
      target.log.push('task');
      return Promise.resolve();
    });
    const after = queue.submit(write('b'));
    await Promise.all([before, task, after]);

    expect(target.log).toEqual(['a', 'task', 'b']);
  });

  test('passes a failed task on to its caller and goes on', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);

    const task = queue.runAlone(() => Promise.reject(new Error('task failed')));
    const after = queue.submit(write('b'));

    await expect(task).rejects.toThrow('task failed');
    await expect(after).resolves.toMatchObject({ durable: true });
  });

  test('takes groups off 50,000 waiting writes without going through those behind', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    let looks = 0;
    const payload = {
      get length() {
        looks++;
        return 1000;
      },
    } as unknown as Uint8Array;
    target.append = () => undefined;
    target.apply = () => ({ sequence: 1, lsn: 0, durable: false });

    const writes = Array.from({ length: 50_000 }, () => queue.submit({ payload, count: 1, durability: 'relaxed' }));
    await Promise.all(writes);

    // Each write is weighed when its group is taken, and the first of each group once more, by the group before.
    expect(looks).toBe(50_000 + 47);
  });

  test('commits writes that need not wait within one microtask', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    void queue.submit(write('a'));

    await Promise.resolve();

    expect(target.log).toEqual(['a']);
  });

  test('lets those whose sync has just ended join those that wait', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    target.hold();
    const twice = (async (): Promise<void> => {
      await queue.submit(write('a'));
      // An async function around the engine's, and another around that.
      await turns(5);
      await queue.submit(write('b'));
    })();
    await turns();

    const other = queue.submit(write('c'));
    target.release();
    await Promise.all([twice, other]);

    expect(target.log).toEqual(['a', 'c b']);
  });

  test('asks for room again after waiting for it', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    let waits = 3;
    target.makeRoom = () => (waits-- > 0 ? Promise.resolve() : undefined);

    await queue.submit(write('a'));

    expect([waits, target.log]).toEqual([-1, ['a']]);
  });

  test('is idle when everything submitted has been answered', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    let answered = 0;
    const count = (): void => {
      answered++;
    };
    const writes = [queue.submit(write('a')).then(count), queue.submit(write('b')).then(count)];

    await queue.idle();
    await Promise.all(writes);

    expect(answered).toBe(2);
  });
});

describe('WriteQueue.submitIf', () => {
  test('asks when all before is visible and nothing later is committed, then commits before what is later', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    const before = queue.submit(write('a'));

    const conditional = queue.submitIf(write('b'), async () => {
      await turns();
      target.log.push(`sees ${target.visible.join(' ')}`);
      return true;
    });
    const after = queue.submit(write('c'));
    const results = await Promise.all([before, conditional, after]);

    expect(target.log).toEqual(['a', 'sees a', 'b c']);
    expect(results.map((result) => result?.sequence)).toEqual([1, 2, 3]);
  });

  test('writes nothing when the answer is no', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);

    const outcomes = await Promise.all([queue.submitIf(write('a'), () => false), queue.submit(write('b'))]);

    expect(outcomes[0]).toBeUndefined();
    expect(target.log).toEqual(['b']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('cannot tell');
      },
    ],
    ['rejects', () => Promise.reject(new Error('cannot tell'))],
  ])('rejects this write alone when its check %s', async (_how, check: () => Promise<boolean>) => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);

    const outcomes = await Promise.allSettled([
      queue.submit(write('a')),
      queue.submitIf(write('b'), check),
      queue.submit(write('c')),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(target.log).toEqual(['a', 'c']);
  });

  test('sees what the conditional write before it did', async () => {
    const target = new ScriptedTarget();
    const queue = new WriteQueue(target);
    const ifAbsent = (text: string): Promise<WriteResult | undefined> =>
      queue.submitIf(write(text), () => !target.visible.includes(text));

    const results = await Promise.all([ifAbsent('a'), ifAbsent('a'), ifAbsent('b')]);

    expect(results.map((result) => result?.sequence)).toEqual([1, undefined, 2]);
  });
});

/** The keys in a payload that `submitPut` encodes, with the kinds of their operations. */
function operationsOf(payload: Uint8Array): string {
  const found: string[] = [];
  decodeOperations(payload, 1, ({ kind, key }) => found.push(`${kind}${Buffer.from(key).toString()}`));
  return found.join(',');
}

class GatheringTarget implements WriteTarget {
  readonly rejected: PendingWrite[] = [];
  readonly groups: string[] = [];
  failure: Error | undefined;
  gate: Promise<void> | undefined;
  #sequence = 0;

  onRejected(refused: PendingWrite): void {
    this.rejected.push(refused);
  }

  makeRoom(): undefined {
    return undefined;
  }

  append(group: readonly PendingWrite[]): Promise<void> | undefined {
    const name = ({ payload, durability }: PendingWrite): string => `${durability}:${operationsOf(payload)}`;
    this.groups.push(group.map(name).join(' '));
    if (this.failure !== undefined) throw this.failure;
    return this.gate;
  }

  apply({ count }: PendingWrite): WriteResult {
    this.#sequence += count;
    return { sequence: this.#sequence, lsn: 7, durable: false };
  }
}

describe('WriteQueue.submitPut and submitDelete', () => {
  test('share one payload, and give each writer its own result', async () => {
    const target = new GatheringTarget();
    const queue = new WriteQueue(target);

    const results = await Promise.all([
      queue.submitPut('a', '1', 'relaxed'),
      queue.submitDelete('b', 'relaxed'),
      queue.submitPut('c', '3', 'relaxed'),
    ]);

    expect(target.groups).toEqual(['relaxed:1a,2b,1c']);
    expect(results).toEqual([1, 2, 3].map((sequence) => ({ sequence, lsn: 7, durable: false })));
  });

  test('keep their order among other writes, conditions and durabilities', async () => {
    const target = new GatheringTarget();
    const queue = new WriteQueue(target);
    const batch = (key: string): PendingWrite => ({
      payload: new WriteBatch().put(key, '').bytes,
      count: 1,
      durability: 'relaxed',
    });

    const results = await Promise.all([
      queue.submitPut('a', '', 'relaxed'),
      queue.submit(batch('b')),
      queue.submitPut('c', '', 'relaxed'),
      queue.submitPut('d', '', 'strict'),
      queue.submitIf(batch('e'), () => true),
      queue.submitPut('f', '', 'strict'),
    ]);

    expect(target.groups).toEqual(['relaxed:1a relaxed:1b relaxed:1c strict:1d', 'relaxed:1e strict:1f']);
    expect(results.map((result) => result?.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('leave a payload that waits for its sync alone', async () => {
    const target = new GatheringTarget();
    const queue = new WriteQueue(target);
    let open: () => void = () => undefined;
    target.gate = new Promise((resolve) => {
      open = resolve;
    });
    const seen: string[] = [];
    const apply = target.apply.bind(target);
    target.apply = (pending) => {
      seen.push(operationsOf(pending.payload));
      return apply(pending);
    };

    const first = queue.submitPut('a', '', 'strict');
    await turns();
    const second = queue.submitPut('b', '', 'strict');
    open();
    await Promise.all([first, second]);
    await queue.submitPut('c', '', 'strict');

    expect(seen).toEqual(['1a', '1b', '1c']);
  });

  test('are all rejected when their group fails, and later ones are not', async () => {
    const target = new GatheringTarget();
    const queue = new WriteQueue(target);
    target.failure = new Error('no');

    const outcomes = await Promise.allSettled([
      queue.submitPut('a', '', 'relaxed'),
      queue.submitPut('b', '', 'relaxed'),
    ]);
    target.failure = undefined;
    const after = await queue.submitPut('c', '', 'relaxed');

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([after.sequence, target.groups.at(-1)]).toEqual([1, 'relaxed:1c']);
  });

  test('submit nothing when an argument is wrong', async () => {
    const target = new GatheringTarget();
    const queue = new WriteQueue(target);

    expect(() => queue.submitPut('', '', 'relaxed')).toThrow(RangeError);
    await queue.idle();
    const good = queue.submitPut('a', '', 'relaxed');
    expect(() => queue.submitDelete(5 as unknown as string, 'relaxed')).toThrow(TypeError);

    await expect(good).resolves.toMatchObject({ sequence: 1 });
    expect(target.groups).toEqual(['relaxed:1a']);
  });

  test('fill one payload after the other', async () => {
    const target = new GatheringTarget();
    const queue = new WriteQueue(target);
    const value = 'x'.repeat(60 * 1024);

    await Promise.all(['a', 'b', 'c', 'd'].map((key) => queue.submitPut(key, value, 'relaxed')));

    expect(target.groups).toEqual(['relaxed:1a,1b,1c relaxed:1d']);
  });
});
