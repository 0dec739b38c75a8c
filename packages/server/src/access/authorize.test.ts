import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { AccessDeniedError } from '../server-error.ts';
import { authorize, Identifier } from './authorize.ts';
import { TokenDigest } from './token-digest.ts';

describe('TokenDigest', () => {
  test('matches the same token only', () => {
    const digest = new TokenDigest('sécret');

    const verdicts = ['sécret', 'secret', 'sécre', 'sécrets', ''].map((token) => digest.matches(encodeUtf8(token)));

    expect(verdicts).toEqual([true, false, false, false, false]);
  });

  test('refuses an empty token, which anyone could match', () => {
    const build = (): TokenDigest => new TokenDigest('');

    expect(build).toThrow(RangeError);
  });
});

describe('Identifier', () => {
  test('tells open, valid, missing and wrong apart for each role', () => {
    const both = new Identifier({ clientToken: 'c', operatorToken: 'o' });
    const clientOnly = new Identifier({ clientToken: 'c' });

    const found = [
      both.identify(undefined),
      both.identify({ kind: 'client', token: encodeUtf8('c') }),
      both.identify({ kind: 'client', token: encodeUtf8('o') }),
      both.identify({ kind: 'operator', token: encodeUtf8('o') }),
      clientOnly.identify({ kind: 'operator', token: encodeUtf8('x') }),
    ];

    expect(found).toEqual([
      { client: 'missing', operator: 'missing' },
      { client: 'valid', operator: 'missing' },
      { client: 'wrong', operator: 'missing' },
      { client: 'missing', operator: 'valid' },
      { client: 'missing', operator: 'open' },
    ]);
  });
});

describe('authorize', () => {
  test('names the role and says whether the credential was missing or wrong', () => {
    const refuse = (): void => authorize({ client: 'wrong', operator: 'valid' }, 'put');

    expect(refuse).toThrow(new AccessDeniedError('client', 'wrong'));
    expect(refuse).toThrow('client credential required or invalid');
  });

  test('does not take an operator for a client, nor a client for an operator', () => {
    const operatorPuts = (): void => authorize({ client: 'missing', operator: 'valid' }, 'put');
    const clientAdds = (): void => authorize({ client: 'valid', operator: 'missing' }, 'add-member');

    expect(operatorPuts).toThrow('client credential required or invalid');
    expect(clientAdds).toThrow('operator credential required or invalid');
  });
});
