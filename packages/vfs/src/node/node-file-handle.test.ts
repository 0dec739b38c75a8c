import type { Stats } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { FileSystemError } from '../file-system-error.ts';
import { type DescriptorCalls, NodeFileHandle } from './node-file-handle.ts';

type Answer = number | string;

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code, errno: -1 });
}

/**
 * Descriptor calls over an array of bytes that answer by script: a number moves at most so many bytes, a string
 * fails with that errno. After the script, everything is moved at once. Callbacks wait until `release` is called.
 */
class ScriptedCalls implements DescriptorCalls {
  readonly content = Uint8Array.from({ length: 10 }, (_, index) => index + 1);
  readonly log: string[] = [];
  readonly waiting: (() => void)[] = [];
  readonly #script: Answer[];
  readonly #hold: boolean;

  constructor(script: Answer[] = [], hold = false) {
    this.#script = script;
    this.#hold = hold;
  }

  readonly readSync: DescriptorCalls['readSync'] = (_fd, buffer, offset, length, position) => {
    const count = Math.max(0, Math.min(this.#next(length), this.content.length - position));
    buffer.set(this.content.subarray(position, position + count), offset);
    return count;
  };

  readonly writeSync: DescriptorCalls['writeSync'] = (_fd, buffer, offset, length, position) => {
    const count = this.#next(length);
    this.content.set(buffer.subarray(offset, offset + count), position);
    return count;
  };

  readonly read: DescriptorCalls['read'] = (fd, buffer, offset, length, position, done) => {
    this.#answer(() => this.readSync(fd, buffer, offset, length, position), done);
  };

  readonly write: DescriptorCalls['write'] = (fd, buffer, offset, length, position, done) => {
    this.#answer(() => this.writeSync(fd, buffer, offset, length, position), done);
  };

  readonly fdatasyncSync: DescriptorCalls['fdatasyncSync'] = () => {
    this.log.push('sync');
    this.#next(0);
  };

  readonly fdatasync: DescriptorCalls['fdatasync'] = (fd, done) => {
    this.#answer(() => {
      this.fdatasyncSync(fd);
      return 0;
    }, done);
  };

  readonly ftruncate: DescriptorCalls['ftruncate'] = (_fd, _bytes, done) => done(null);
  readonly fstat: DescriptorCalls['fstat'] = (_fd, done) => done(null, { size: this.content.length } as Stats);
  readonly fstatSync: DescriptorCalls['fstatSync'] = () => ({ size: this.#next(this.content.length) }) as Stats;

  readonly close: DescriptorCalls['close'] = (_fd, done) => {
    this.log.push('close');
    this.#answer(() => this.#next(0), done);
  };

  #next(length: number): number {
    const answer = this.#script.shift() ?? length;
    if (typeof answer === 'string') throw systemError(answer);
    return Math.min(answer, length);
  }

  #answer(run: () => number, done: (error: NodeJS.ErrnoException | null, value: number) => void): void {
    const respond = (): void => {
      let value: number;
      try {
        value = run();
      } catch (error) {
        done(error as NodeJS.ErrnoException, 0);
        return;
      }
      done(null, value);
    };
    if (this.#hold) this.waiting.push(respond);
    else queueMicrotask(respond);
  }
}

function open(calls: DescriptorCalls): NodeFileHandle {
  return new NodeFileHandle(7, '/data/a', 'write', calls);
}

describe('NodeFileHandle', () => {
  test('continues after short and interrupted reads', async () => {
    const script = (): Answer[] => [3, 'EINTR', 1, 'EAGAIN', 'EINTR', 2];
    const buffer = new Uint8Array(8);
    const bufferSync = new Uint8Array(8);

    const bytes = await open(new ScriptedCalls(script())).read(buffer, 1);
    const bytesSync = open(new ScriptedCalls(script())).readSync(bufferSync, 1);

    expect([bytes, ...buffer]).toEqual([8, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([bytesSync, ...bufferSync]).toEqual([8, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('continues after short and interrupted writes', async () => {
    const script = (): Answer[] => [1, 'EINTR', 2];
    const calls = new ScriptedCalls(script());
    const callsSync = new ScriptedCalls(script());

    await open(calls).write(Uint8Array.of(91, 92, 93, 94, 95), 2);
    open(callsSync).writeSync(Uint8Array.of(91, 92, 93, 94, 95), 2);

    expect([...calls.content]).toEqual([1, 2, 91, 92, 93, 94, 95, 8, 9, 10]);
    expect([...callsSync.content]).toEqual([...calls.content]);
  });

  test('stops at the end of the file', async () => {
    expect(await open(new ScriptedCalls([2])).read(new Uint8Array(8), 6)).toBe(4);
    expect(open(new ScriptedCalls([2])).readSync(new Uint8Array(8), 6)).toBe(4);
  });

  test('gives up on a write that moves nothing, and on endless interruption', async () => {
    const interrupted = Array.from({ length: 2000 }, () => 'EINTR');

    await expect(open(new ScriptedCalls([1, 0])).write(new Uint8Array(3), 0)).rejects.toMatchObject({ errno: 'EIO' });
    expect(() => open(new ScriptedCalls([1, 0])).writeSync(new Uint8Array(3), 0)).toThrow(/EIO/);
    await expect(open(new ScriptedCalls([...interrupted])).write(new Uint8Array(3), 0)).rejects.toMatchObject({
      errno: 'EINTR',
    });
    expect(() => open(new ScriptedCalls([...interrupted])).readSync(new Uint8Array(3), 0)).toThrow(/EINTR/);
  });

  test('maps what the operating system reports and keeps it as the cause', async () => {
    const handle = open(new ScriptedCalls(['ENOSPC']));

    const failure = await handle.write(new Uint8Array(3), 0).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(FileSystemError);
    expect(failure).toMatchObject({ code: 'KAYA_DISK_FULL', errno: 'ENOSPC', operation: 'write', path: '/data/a' });
    expect(failure).toHaveProperty('cause.code', 'ENOSPC');
  });

  test('never repeats a failed sync', async () => {
    const calls = new ScriptedCalls(['EINTR', 'EIO']);
    const handle = open(calls);

    await expect(handle.sync()).rejects.toMatchObject({ errno: 'EINTR' });
    expect(() => handle.syncSync()).toThrow(/EIO/);

    expect(calls.log).toEqual(['sync', 'sync']);
  });

  test('closes the descriptor only after the calls in flight came back, and once', async () => {
    const calls = new ScriptedCalls([], true);
    const handle = open(calls);
    const reading = handle.read(new Uint8Array(2), 0);
    const writing = handle.write(Uint8Array.of(9), 0);

    const closing = Promise.all([handle.close(), handle.close()]);
    await Promise.resolve();
    expect(calls.log).toEqual([]);
    expect(() => handle.readSync(new Uint8Array(1), 0)).toThrow(/closed/);
    while (calls.waiting.length > 0) {
      calls.waiting.shift()?.();
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }

    await closing;
    expect(await reading).toBe(2);
    await writing;
    expect(calls.log).toEqual(['close']);
  });

  test('reports a failed close, except an interrupted one', async () => {
    await expect(open(new ScriptedCalls(['EIO'])).close()).rejects.toMatchObject({ code: 'KAYA_IO' });
    await expect(open(new ScriptedCalls(['EINTR'])).close()).resolves.toBeUndefined();
  });
});
