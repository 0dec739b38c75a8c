import { X509Certificate } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { makeTestCertificate } from '../testing/test-certificates.ts';
import { readAltNames } from './alt-names.ts';
import { matchesIdentity, parseSpkiPin, peerIdentityOf } from './peer-identity.ts';

const NAMES = ['Node-1.Example.org', '*.cluster.example', '10.0.0.1', '2001:db8::1', '*.org'];

describe('peerIdentityOf', () => {
  test('reads what a certificate says, in one spelling', () => {
    const notAfterMs = Date.UTC(2030, 1, 3, 4, 5, 6);
    const made = makeTestCertificate({ subject: 'node 1', names: NAMES, notAfterMs });

    const identity = peerIdentityOf(new X509Certificate(made.certificate));

    expect(identity).toEqual({
      subject: 'CN=node 1',
      dnsNames: ['node-1.example.org', '*.cluster.example', '*.org'],
      ipAddresses: ['10.0.0.1', '2001:db8::1'],
      spkiSha256: made.spkiSha256,
      notBeforeMs: Date.UTC(2020, 0, 1),
      notAfterMs,
    });
  });
});

describe('peerIdentityOf a certificate without a subject', () => {
  test('calls it by its names', () => {
    const made = makeTestCertificate({ subject: '', names: ['a.example', '10.0.0.1'] });

    const identity = peerIdentityOf(new X509Certificate(made.certificate));

    expect(identity).toMatchObject({ subject: 'DNS:a.example, IP Address:10.0.0.1', dnsNames: ['a.example'] });
  });
});

describe('matchesIdentity', () => {
  const certificate = new X509Certificate(makeTestCertificate({ subject: 'common.example', names: NAMES }).certificate);
  const identity = peerIdentityOf(certificate);

  test.each([
    ['node-1.example.org', true],
    ['NODE-1.EXAMPLE.ORG', true],
    ['a.cluster.example', true],
    ['a.b.cluster.example', false],
    ['cluster.example', false],
    ['common.example', false],
    ['node-2.example.org', false],
    ['example.org', false],
  ])('says of the name %j: %s, as OpenSSL does', (name, isMatch) => {
    expect(matchesIdentity(identity, { kind: 'name', name })).toBe(isMatch);
    expect(certificate.checkHost(name, { subject: 'never' }) !== undefined).toBe(isMatch);
  });

  test.each([
    ['one of whose names is the host', ['a.example'], 2, 'a.example', true],
    ['that is of another host', ['a.example'], 2, 'b.example', false],
    ['of a node whose host nobody knows', ['a.example'], 2, undefined, false],
    ['that names the node', ['kayadb-node-2'], 2, undefined, true],
    ['that names the node, wherever it is', ['Kayadb-Node-2', 'b.example'], 2, 'a.example', true],
    ['that names another node of the same host', ['kayadb-node-3', 'a.example'], 2, 'a.example', false],
    ['that names several nodes', ['kayadb-node-3', 'kayadb-node-2'], 2, undefined, true],
    ['that names a node whose number begins so', ['kayadb-node-22'], 2, 'a.example', false],
  ] as const)('of a node takes a certificate %s', (_case, dnsNames, node, host, isMatch) => {
    const named = { ...identity, dnsNames: dnsNames.map((name) => name.toLowerCase()) };

    expect(matchesIdentity(named, { kind: 'node', node, host })).toBe(isMatch);
  });

  test.each([
    ['10.0.0.1', true],
    ['10.0.0.2', false],
    ['2001:DB8:0:0::1', true],
    ['2001:db8::2', false],
  ])('says of the address %s: %s, as OpenSSL does', (name, isMatch) => {
    expect(matchesIdentity(identity, { kind: 'name', name })).toBe(isMatch);
    expect(certificate.checkIP(name) !== undefined).toBe(isMatch);
  });

  test('wants a label where the certificate has a star', () => {
    expect(matchesIdentity(identity, { kind: 'name', name: '.cluster.example' })).toBe(false);
    expect(matchesIdentity(identity, { kind: 'name', name: '' })).toBe(false);
  });

  test('goes by the key when a key is pinned', () => {
    const other = 'ab'.repeat(32);

    expect(matchesIdentity(identity, { kind: 'pin', spkiSha256: [other, identity.spkiSha256] })).toBe(true);
    expect(matchesIdentity(identity, { kind: 'pin', spkiSha256: [other] })).toBe(false);
    expect(matchesIdentity(identity, { kind: 'pin', spkiSha256: [] })).toBe(false);
  });
});

describe('readAltNames', () => {
  test('does not take a comma inside a name for the beginning of another one', () => {
    const names = readAltNames('DNS:"a.example, DNS:victim.example", URI:"x:\\"y", IP Address:10.0.0.1');

    expect(names).toEqual({ dnsNames: ['a.example, DNS:victim.example'], ipAddresses: ['10.0.0.1'] });
  });

  test.each([
    'DNS:a.example, nothing',
    'DNS:"a.example',
    'DNS:a.example,DNS:b.example',
    'DNS:"\\x"',
    ', DNS:a.example',
  ])('finds no names in %j, which is not wholly understood', (text) => {
    expect(readAltNames(text)).toEqual({ dnsNames: [], ipAddresses: [] });
  });
});

describe('parseSpkiPin', () => {
  const hex = '0123456789abcdef'.repeat(4);
  const base64 = Buffer.from(hex, 'hex').toString('base64');

  test.each([
    hex,
    hex.toUpperCase(),
    hex.replaceAll(/..(?=.)/g, '$&:'),
    base64,
    `sha256/${base64}`,
    ` sha256//${base64}\n`,
  ])('takes %j', (text) => {
    expect(parseSpkiPin(text)).toBe(hex);
  });

  test.each(['sha256/', 'sha256//', ''])('takes base64 that begins with a slash behind %j', (prefix) => {
    const begins = Buffer.alloc(32, 0xff).toString('base64');

    expect(begins).toMatch(/^\/\//);
    expect(parseSpkiPin(`${prefix}${begins}`)).toBe('ff'.repeat(32));
  });

  test.each(['', hex.slice(1), `${hex}0`, base64.slice(1), 'sha256/', hex.replace('0', 'g')])('refuses %j', (text) => {
    expect(parseSpkiPin(text)).toBeUndefined();
  });
});
