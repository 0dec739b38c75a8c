import { describe, expect, test } from 'vitest';

import { formatEndpoint, normaliseHost, parseEndpoint } from './endpoint.ts';

describe('parseEndpoint', () => {
  test.each([
    ['127.0.0.1:7379', { host: '127.0.0.1', port: 7379 }],
    ['db-1.internal:1', { host: 'db-1.internal', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('reads %s, and formatEndpoint writes it back', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
    expect(formatEndpoint(endpoint)).toBe(text);
  });

  test.each([
    '',
    'host',
    'host:',
    ':7379',
    'host:0',
    'host:65536',
    'host:12x',
    '::1:7379',
    '[::1]',
    'a b:1',
    'host:-1',
  ])('refuses "%s"', (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});

describe('normaliseHost', () => {
  test('gives an IPv4 address one spelling', () => {
    expect(normaliseHost('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(normaliseHost('::1')).toBe('::1');
  });
});
