import { AssertionError, DecodeError, KayaError } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { CorruptionError, EngineError } from '../errors.ts';
import { isUndone } from '../files/disk-outcome.ts';
import { decodeError, encodeError } from './error-transport.ts';

function send(thrown: unknown): Error {
  return decodeError(structuredClone(encodeError(thrown)));
}

describe('an error sent to another thread', () => {
  test.each([
    ['an error of the file system', new FileSystemError('ENOSPC', 'write', '/db/1.sst', { detail: 'cut back' })],
    ['damage', new CorruptionError('000001.sst', 64, 'the checksum of the block does not match')],
    ['an error of the engine', new EngineError('KAYA_UNSUPPORTED', 'x cannot be read')],
    ['another typed error', new KayaError('KAYA_OTHER', 'x')],
    ['a broken invariant', new AssertionError('entries must come in order')],
    ['any other', new RangeError('too large')],
  ])('says the same there: %s', (_case, error) => {
    const arrived = send(error);

    expect(arrived.message).toBe(error.message);
    expect(arrived.stack).toBe(error.stack);
    // What the class adds: code, errno, operation, path, file, offset.
    expect(arrived).toMatchObject(Object.fromEntries(Object.entries(error)));
    expect(arrived instanceof KayaError).toBe(error instanceof KayaError);
    expect(arrived.constructor).toBe(error instanceof RangeError ? Error : error.constructor);
  });

  test.each([
    ['ENOSPC', 'write', true],
    ['ENOSPC', 'sync', false],
    ['EMFILE', 'open', true],
    ['EIO', 'read', true],
    ['EIO', 'open', true],
    ['EIO', 'write', false],
  ])('keeps its verdict: %s in %s', (errno, operation, isKnown) => {
    expect(isUndone(send(new FileSystemError(errno, operation, '/db/1.sst')))).toBe(isKnown);
  });

  test('brings its causes along, and whatever was thrown arrives as an error', () => {
    const cause = new FileSystemError('EIO', 'read', '/db/1.sst');
    const error = new CorruptionError('000001.sst', 0, 'x', { cause: new DecodeError('cut short', 3) });

    expect(send(new EngineError('KAYA_WORKER_LOST', 'x', { cause })).cause).toMatchObject({ errno: 'EIO' });
    expect(send(error).cause).toMatchObject({ code: 'KAYA_MALFORMED', message: 'cut short (at byte 3)' });
    expect(send('gone').message).toBe('gone');
  });
});
