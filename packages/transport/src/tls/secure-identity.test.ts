import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { makeTestCertificate } from '../testing/test-certificates.ts';
import { SecureIdentity } from './secure-identity.ts';
import type { TlsMaterial } from './tls-material.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const EARLIER = { notBeforeMs: Date.UTC(2024, 0), notAfterMs: Date.UTC(2025, 0, 1, 12) };
const LATER = { notBeforeMs: Date.UTC(2027, 0), notAfterMs: Date.UTC(2028, 0) };

const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const leaf = makeTestCertificate({ subject: 'node-1', names: ['node-1.example'], issuer: ca });
const other = makeTestCertificate({ subject: 'node-2', issuer: ca });
const expired = makeTestCertificate({ subject: 'old', issuer: ca, ...EARLIER });
const early = makeTestCertificate({ subject: 'new', issuer: ca, ...LATER });
const expiredCa = makeTestCertificate({ subject: 'old ca', isAuthority: true, ...EARLIER });

const junk = encodeUtf8('-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n');
const junkKey = encodeUtf8('-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n');
const lockedKey = encodeUtf8('-----BEGIN ENCRYPTED PRIVATE KEY-----\nbm90\n-----END ENCRYPTED PRIVATE KEY-----\n');
const pair = { certificate: leaf.certificate, key: leaf.key };

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

const refused: readonly (readonly [string, TlsMaterial, RegExp])[] = [
  ['a certificate without a key', { certificate: leaf.certificate }, /a TLS certificate without a key; give both/],
  ['a key without a certificate', { key: leaf.key }, /a TLS key without a certificate; give both/],
  ['the key of another', { ...pair, key: other.key }, /key is not that of the certificate of CN=node-1; give/],
  ['a certificate that expired', expired, /certificate of CN=old expired at 2025-01-01T12:00:00Z; have it renewed/],
  ['one for later', early, /certificate of CN=new is not valid before 2027-01-01T00:00:00Z; check the clock/],
  [
    'an expired one in the chain',
    { ...pair, certificate: join(leaf.certificate, expiredCa.certificate) },
    /old ca expired/,
  ],
  [
    'a certificate that is no PEM',
    { ...pair, certificate: encodeUtf8('hello') },
    /certificate has no PEM certificate in/,
  ],
  ['a key for a certificate', { ...pair, certificate: leaf.key }, /certificate has a private key in it; give/],
  ['a PEM of nonsense', { ...pair, certificate: junk }, /certificate cannot be read: .+; give an X\.509/],
  ['a key that is no PEM', { ...pair, key: encodeUtf8('hello') }, /key has no PEM private key in it; give/],
  ['a certificate for a key', { ...pair, key: leaf.certificate }, /key has no PEM private key in it; give/],
  ['a key of nonsense', { ...pair, key: junkKey }, /key cannot be read: .+; give a private key/],
  ['a key with a passphrase', { ...pair, key: lockedKey }, /key has a passphrase; give it without/],
  ['a CA that is none', { ca: leaf.certificate }, /certificate of CN=node-1, which is no CA; give the CA/],
  ['a CA that is no PEM', { ca: encodeUtf8('') }, /CA has no PEM certificate in it/],
  ['a CA that expired', { ca: expiredCa.certificate }, /CA of CN=old ca expired/],
];

describe('SecureIdentity', () => {
  test('says whose certificate it has, and whom it trusts', () => {
    const identity = new SecureIdentity({ ...pair, ca: ca.certificate }, NOW_MS);

    expect(identity.own).toMatchObject({ subject: 'CN=node-1', dnsNames: ['node-1.example'] });
    expect(identity.authorities).toMatchObject([{ subject: 'CN=ca', spkiSha256: ca.spkiSha256 }]);
  });

  test.each(refused)('refuses %s, in one sentence', (_what, { certificate, key, ca: authority }, sentence) => {
    const material = { certificate, key, ca: authority };

    const make = (): SecureIdentity => new SecureIdentity(material, NOW_MS);

    expect(make).toThrow(expect.objectContaining({ code: 'KAYA_TLS_MATERIAL' }));
    expect(make).toThrow(sentence);
  });

  test('takes an expired CA beside one that is valid', () => {
    const identity = new SecureIdentity({ ca: join(expiredCa.certificate, ca.certificate) }, NOW_MS);

    expect(identity.authorities).toHaveLength(2);
  });

  test('tells of a replacement until it is told to stop', () => {
    const identity = new SecureIdentity({ ...pair, ca: ca.certificate }, NOW_MS);
    const seen: (string | undefined)[] = [];
    const stop = identity.onReplaced(() => seen.push(identity.own?.subject));

    identity.replace({ certificate: other.certificate, key: other.key, ca: ca.certificate }, NOW_MS);
    stop();
    identity.replace({ ...pair, ca: ca.certificate }, NOW_MS);

    expect(seen).toEqual(['CN=node-2']);
    expect(identity.own?.subject).toBe('CN=node-1');
  });

  test.each([
    ['a wrong key', { ...pair, key: other.key, ca: ca.certificate }, /key is not that/],
    ['no CA any more', pair, /has no CA, and the old one had/],
    ['no certificate any more', { ca: ca.certificate }, /has no certificate, and the old one had/],
  ])('keeps what it has when the replacement has %s', (_what, material, sentence) => {
    const identity = new SecureIdentity({ ...pair, ca: ca.certificate }, NOW_MS);
    const context = identity.secureContext('TLSv1.3');
    identity.onReplaced(() => expect.unreachable());

    const replace = (): void => identity.replace(material, NOW_MS);

    expect(replace).toThrow(sentence);
    expect(identity.secureContext('TLSv1.3')).toBe(context);
    expect(identity.own?.subject).toBe('CN=node-1');
  });
});
