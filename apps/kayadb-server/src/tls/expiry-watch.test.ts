import type { PeerIdentity } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { dueNotice, ExpiryWatch } from './expiry-watch.ts';

const DAY_MS = 86_400_000;
const END_MS = Date.UTC(2030, 0, 1);

function identity(subject: string, notAfterMs = END_MS): PeerIdentity {
  return { subject, dnsNames: [], ipAddresses: [], spkiSha256: subject, notBeforeMs: 0, notAfterMs };
}

function openWatch() {
  const told: string[] = [];
  const tell =
    (level: string) =>
    (_fields: unknown, message: string): void =>
      void told.push(`${level}: ${message}`);
  const logger = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
  return { told, watch: new ExpiryWatch(logger) };
}

describe('dueNotice', () => {
  test.each([
    [30 * DAY_MS + 1, undefined],
    [30 * DAY_MS, 30],
    [7 * DAY_MS + 1, 30],
    [7 * DAY_MS, 7],
    [DAY_MS, 1],
    [1, 1],
    [0, 0],
    [-DAY_MS, 0],
  ])('of a certificate with %i ms left is %s', (leftMs, expected) => {
    expect(dueNotice(END_MS, END_MS - leftMs)).toBe(expected);
  });
});

describe('ExpiryWatch', () => {
  test('tells each of the four times once, and of the end as an error', () => {
    const { told, watch } = openWatch();

    for (let hours = 40 * 24; hours >= -48; hours -= 6) {
      watch.look({ own: identity('CN=node-1'), authorities: undefined }, END_MS - hours * 3_600_000);
    }

    expect(told).toEqual([
      'warn: the TLS certificate of CN=node-1 expires in 30 days; replace it',
      'warn: the TLS certificate of CN=node-1 expires in 7 days; replace it',
      'warn: the TLS certificate of CN=node-1 expires within a day; replace it',
      'error: the TLS certificate of CN=node-1 has expired, and nobody trusts it any more; replace it',
    ]);
  });

  test('begins anew with a certificate that takes the place of another, and tells of CAs too', () => {
    const { told, watch } = openWatch();
    const authorities = [identity('CN=ca')];

    watch.look({ own: identity('CN=node-1'), authorities }, END_MS - 3 * DAY_MS);
    watch.look({ own: identity('CN=node-1', END_MS + DAY_MS), authorities }, END_MS - 3 * DAY_MS);

    expect(told).toEqual([
      'warn: the TLS certificate of CN=node-1 expires in 3 days; replace it',
      'warn: the TLS CA of CN=ca expires in 3 days; replace it',
      'warn: the TLS certificate of CN=node-1 expires in 4 days; replace it',
    ]);
  });
});
