import { AssertionError, KayaError } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { EngineError } from './errors.ts';
import { joinFailures } from './join-failures.ts';

const poisoned = new EngineError('KAYA_ENGINE_POISONED', 'the store takes no more writes');
const refused = new FileSystemError('EIO', 'close', '/db/000001.sst');

describe('joinFailures', () => {
  test('leaves a single failure as it is', () => {
    expect(joinFailures([refused], 'closing /db')).toBe(refused);
  });

  test('gives several the code of the first, the messages of all, and keeps them', () => {
    const joined = joinFailures([poisoned, refused], 'closing /db');

    expect(joined).toBeInstanceOf(KayaError);
    expect(joined).toMatchObject({
      code: 'KAYA_ENGINE_POISONED',
      message: `closing /db failed in 2 ways: ${poisoned.message}; ${refused.message}`,
      cause: { errors: [poisoned, refused], cause: poisoned },
    });
  });

  test('hides no broken invariant behind a code', () => {
    const broken = new AssertionError('wrong');

    const joined = joinFailures([refused, broken], 'closing /db');

    expect(joined).toBeInstanceOf(AggregateError);
    expect(joined).toMatchObject({ errors: [refused, broken] });
  });
});
