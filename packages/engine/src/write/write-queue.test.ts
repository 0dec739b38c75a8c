import { describe, expect, test } from 'vitest';

import type { WriteResult } from '../types.ts';
import { type PendingWrite, WriteQueue, type WriteTarget } from './write-queue.ts';

/** A target that writes down what it is given, and syncs when the test says so. */
class ScriptedTarget implements WriteTarget {
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
