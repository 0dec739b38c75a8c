/**
 * Certificates for tests, made in the process: authorities, leaves, expired ones, any names. X.509 v3 with P-256 and SHA-256.
 *
 * They need no program and no file, so that no test about TLS is ever skipped. Not for anything but tests: keys are not protected.
 * Source: RFC 5280, sections 4.1 and 4.2.
 */

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

import { concatBytes, encodeUtf8 } from '@kayadb/codec';

export interface TestCertificateOptions {
  /** The common name; without a subject if it is empty. */
  readonly subject: string;
  /** DNS names and numeric addresses of the certificate. */
  readonly names?: readonly string[];
  /** Who signs it; itself by default. */
  readonly issuer?: TestCertificate;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
  /** Milliseconds since 1970; both within 1950 to 2049. Default: 2020 to 2049. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

export interface TestCertificate {
  /** PEM. */
  readonly certificate: Uint8Array;
  /** PEM, PKCS #8. */
  readonly key: Uint8Array;
  readonly subject: string;
  /** Of the public key, in hex: what is pinned. */
  readonly spkiSha256: string;
  readonly privateKey: KeyObject;
}

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  address: 0x87,
  version: 0xa0,
  extensions: 0xa3,
} as const;

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
} as const;

const DEFAULT_NOT_BEFORE_MS = Date.UTC(2020, 0, 1);
const DEFAULT_NOT_AFTER_MS = Date.UTC(2049, 11, 31);

/** A new key and a certificate for it. */
export function makeTestCertificate(options: TestCertificateOptions): TestCertificate {
  const { subject, issuer } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const digest = createHash('sha256').update(spki).digest();
  const signed = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Uint8Array.of(2))),
    // A positive serial number that no other key has.
    der(TAG.integer, Uint8Array.of(1, ...digest.subarray(0, 8))),
    der(TAG.sequence, oid(OID.ecdsaWithSha256)),
    commonName(issuer?.subject ?? subject),
    der(
      TAG.sequence,
      utcTime(options.notBeforeMs ?? DEFAULT_NOT_BEFORE_MS),
      utcTime(options.notAfterMs ?? DEFAULT_NOT_AFTER_MS),
    ),
    commonName(subject),
    spki,
    der(TAG.extensions, der(TAG.sequence, ...extensionsOf(options))),
  );
  const signature = sign('sha256', signed, issuer?.privateKey ?? privateKey);
  const certificate = der(
    TAG.sequence,
    signed,
    der(TAG.sequence, oid(OID.ecdsaWithSha256)),
    der(TAG.bitString, Uint8Array.of(0), signature),
  );
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: encodeUtf8(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
    subject,
    spkiSha256: digest.toString('hex'),
    privateKey,
  };
}

function extensionsOf({ names = [], isAuthority = false }: TestCertificateOptions): readonly Uint8Array[] {
  const constraints = isAuthority ? der(TAG.boolean, Uint8Array.of(0xff)) : new Uint8Array(0);
  const all = [extension(OID.basicConstraints, der(TAG.sequence, constraints))];
  if (names.length > 0) all.push(extension(OID.subjectAltName, der(TAG.sequence, ...names.map(generalName))));
  return all;
}

function extension(id: string, value: Uint8Array): Uint8Array {
  return der(TAG.sequence, oid(id), der(TAG.octetString, value));
}

function generalName(name: string): Uint8Array {
  return isIP(name) === 0 ? der(TAG.dnsName, encodeUtf8(name)) : der(TAG.address, addressBytes(name));
}

/** Addresses in IPv6 may be short by one run of zeros. */
function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  const [head = [], tail = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const groups = head.concat(zeros, tail).map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

function commonName(name: string): Uint8Array {
  if (name === '') return der(TAG.sequence);
  const attribute = der(TAG.sequence, oid(OID.commonName), der(TAG.utf8String, encodeUtf8(name)));
  return der(TAG.sequence, der(TAG.set, attribute));
}

function utcTime(ms: number): Uint8Array {
  const text = new Date(ms).toISOString().replaceAll(/[-T:]|\.\d+/g, '');
  return der(TAG.utcTime, encodeUtf8(text.slice(2)));
}

function oid(hex: string): Uint8Array {
  return der(TAG.oid, Buffer.from(hex, 'hex'));
}

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(contents);
  return concatBytes([Uint8Array.of(tag, ...lengthBytes(content.length)), content]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
}

function pem(label: string, bytes: Uint8Array): Uint8Array {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return encodeUtf8(`-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`);
}
