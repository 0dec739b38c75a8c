import { AssertionError } from '@kayadb/codec';
import { CorruptionError } from '@kayadb/engine';
import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { AccessDeniedError, ServerError } from '../server-error.ts';
import { mapError } from './error-mapping.ts';

describe('mapError', () => {
  test.each([
    [
      'damage',
      new CorruptionError('000009.sst', 4096, 'secret'),
      "KAYA_CORRUPTION: stored data is damaged; run kayactl recover --dry-run on the server's data directory (look for request 1.2 in the server's log)",
      'fault',
    ],
    [
      'another typed error',
      new FileSystemError('EIO', 'read', '/secret/path'),
      "KAYA_IO: the server failed to do this (look for request 1.2 in the server's log)",
      'fault',
    ],
    [
      'an error without a code',
      new TypeError('secret'),
      "KAYA_INTERNAL: the server failed to do this (look for request 1.2 in the server's log)",
      'fault',
    ],
    [
      'a broken invariant',
      new AssertionError('secret'),
      "KAYA_INTERNAL: the server failed to do this (look for request 1.2 in the server's log)",
      'fatal',
    ],
    [
      'a refused credential',
      new AccessDeniedError('operator', 'wrong'),
      'operator credential required or invalid',
      'refusal',
    ],
    [
      'a refusal of the node',
      new ServerError('KAYA_MEMBERSHIP_REFUSED', 'no'),
      'KAYA_MEMBERSHIP_REFUSED: no',
      'refusal',
    ],
  ])('answers status 9 for %s, without paths or inner messages', (_case, error, message, weight) => {
    const mapped = mapError(error, 'request 1.2');

    expect(mapped).toEqual({ response: { kind: 'error', message }, weight });
    expect(message).not.toContain('secret');
  });

  test.each(['KAYA_INVALID_ARGUMENT', 'KAYA_SCAN_TOO_LARGE'] as const)('answers status 1 for %s', (code) => {
    const mapped = mapError(new ServerError(code, 'scan too large: do this'), 'request 1.2');

    expect(mapped).toEqual({
      response: { kind: 'invalid-argument', message: 'scan too large: do this' },
      weight: 'refusal',
    });
  });
});
