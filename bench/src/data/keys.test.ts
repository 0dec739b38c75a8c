import { describe, expect, test } from 'vitest';

import { missingKey, storedKey } from './keys.ts';

describe('keys', () => {
  test('are 16 decimal digits, stored ones even and missing ones odd', () => {
    expect(storedKey(0).toString()).toBe('0000000000000000');
    expect(storedKey(123_456_789).toString()).toBe('0000000246913578');
    expect(missingKey(123_456_789).toString()).toBe('0000000246913579');
    expect(storedKey(123_456_789_012).toString()).toBe('0000246913578024');
  });

  test('are a Buffer of their own each time', () => {
    const first = storedKey(1);
    const second = storedKey(1);

    first.fill(0);

    expect(second.toString()).toBe('0000000000000002');
  });
});
