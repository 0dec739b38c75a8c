import { describe, expect, test } from 'vitest';

import { DecodeError } from '../errors.ts';
import { answerHello, versionBehindHello } from './hello.ts';

describe('answerHello', () => {
  test.each([
    [0, 1],
    [1, 1],
    [2, 2],
  ] as const)('answers a first HELLO of %i with %i, which is what comes next', (version, next) => {
    const answer = answerHello(version, { isFirstRequest: true, highest: 2 });

    expect(answer).toEqual({ response: { kind: 'version', version: next }, next });
  });

  test.each([
    ['of 3', 3, true, 2, 'protocol version 3 is not supported; this server speaks 1 and 2'],
    ['of 65535', 0xffff, true, 2, 'protocol version 65535 is not supported; this server speaks 1 and 2'],
    ['of 2 where 1 is the highest', 2, true, 1, 'protocol version 2 is not supported; this server speaks 1'],
    [
      'of 2 behind another request',
      2,
      false,
      2,
      'protocol version 2 is agreed on in the first request of a connection; open another one',
    ],
  ] as const)('refuses a HELLO %s, and stays in 1', (_case, version, isFirstRequest, highest, message) => {
    const answer = answerHello(version, { isFirstRequest, highest });

    expect(answer).toEqual({ response: { kind: 'invalid-argument', message }, next: 1 });
  });

  test('answers a later HELLO of 1', () => {
    const answer = answerHello(1, { isFirstRequest: false, highest: 2 });

    expect(answer).toEqual({ response: { kind: 'version', version: 1 }, next: 1 });
  });
});

describe('versionBehindHello', () => {
  test('is what the node answers', () => {
    expect(versionBehindHello(2, { kind: 'version', version: 2 })).toBe(2);
    expect(versionBehindHello(2, { kind: 'version', version: 1 })).toBe(1);
    expect(versionBehindHello(1, { kind: 'version', version: 1 })).toBe(1);
  });

  test('is 1 where the node refuses', () => {
    expect(versionBehindHello(2, { kind: 'invalid-argument', message: 'no' })).toBe(1);
    expect(versionBehindHello(2, { kind: 'error', message: 'no' })).toBe(1);
  });

  test('is refused when it was not asked for', () => {
    expect(() => versionBehindHello(1, { kind: 'version', version: 2 })).toThrow(DecodeError);
    expect(() => versionBehindHello(2, { kind: 'version', version: 3 })).toThrow(DecodeError);
    expect(() => versionBehindHello(2, { kind: 'version', version: 0 })).toThrow(DecodeError);
  });
});
