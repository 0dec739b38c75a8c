/**
 * Certificates, keys and CAs as an operator hands them over, checked before anything uses them: what TLS would say about them at the
 * first handshake is said here, in one sentence, when the process starts or is told to read them again.
 */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

import { decodeUtf8 } from '@kayadb/codec';

import { TransportError } from '../transport-error.ts';
import { type PeerIdentity, peerIdentityOf } from './peer-identity.ts';

/** PEM, as bytes: reading files is the caller's business. Certificate and key go together. */
export interface TlsMaterial {
  /** This side's certificate, and behind it those between it and the CA. */
  readonly certificate?: Uint8Array | undefined;
  /** The key of the first certificate, without a passphrase. */
  readonly key?: Uint8Array | undefined;
  /** Whom to trust: one CA or more. Without any, a dialer trusts the public ones that Node comes with. */
  readonly ca?: Uint8Array | undefined;
}

/** Material that was found sound. */
export interface CheckedMaterial {
  readonly pair: { readonly certificate: string; readonly key: string; readonly identity: PeerIdentity } | undefined;
  readonly ca: { readonly text: string; readonly identities: readonly PeerIdentity[] } | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * @param nowMs - Milliseconds since 1970.
 * @throws TransportError KAYA_TLS_MATERIAL: what is wrong, with which part, and what to do.
 */
export function checkTlsMaterial(material: TlsMaterial, nowMs: number): CheckedMaterial {
  const { certificate, key, ca } = material;
  if ((certificate === undefined) !== (key === undefined)) {
    const [there, missing] = key === undefined ? ['certificate', 'key'] : ['key', 'certificate'];
    throw refusal(`there is a TLS ${there} without a ${missing}; give both or neither`);
  }
  return {
    pair: certificate === undefined || key === undefined ? undefined : checkPair(certificate, key, nowMs),
    ca: ca === undefined ? undefined : checkAuthorities(ca, nowMs),
  };
}

function checkPair(certificate: Uint8Array, key: Uint8Array, nowMs: number): CheckedMaterial['pair'] {
  const text = decodeUtf8(certificate);
  const [leaf, ...others] = readCertificates(text, 'TLS certificate');
  const privateKey = readKey(key);
  if (!leaf.checkPrivateKey(privateKey)) {
    const { subject } = peerIdentityOf(leaf);
    throw refusal(`the TLS key is not that of the certificate of ${subject}; give the key that belongs to it`);
  }
  const identity = peerIdentityOf(leaf);
  for (const each of [identity, ...others.map(peerIdentityOf)]) assertInTime(each, 'TLS certificate', nowMs);
  return { certificate: text, key: decodeUtf8(key), identity };
}

/** Of several CAs one that is out of its time does no harm: it stands there from before, or for later. */
function checkAuthorities(ca: Uint8Array, nowMs: number): CheckedMaterial['ca'] {
  const text = decodeUtf8(ca);
  const certificates = readCertificates(text, 'TLS CA');
  const identities = certificates.map(peerIdentityOf);
  for (const [i, certificate] of certificates.entries()) {
    if (certificate.ca) continue;
    const subject = identities[i]?.subject ?? '';
    throw refusal(
      `the TLS CA file has the certificate of ${subject}, which is no CA; give the CA that signed it, or pin its key`,
    );
  }
  const [first] = identities;
  if (first !== undefined && !identities.some((each) => isInTime(each, nowMs))) assertInTime(first, 'TLS CA', nowMs);
  return { text, identities };
}

function readCertificates(text: string, what: string): readonly [X509Certificate, ...X509Certificate[]] {
  const [first, ...others] = (text.match(CERTIFICATE) ?? []).map((pem) => {
    try {
      return new X509Certificate(pem);
    } catch (cause) {
      throw refusal(`the ${what} cannot be read: ${messageOf(cause)}; give an X.509 certificate as PEM`, cause);
    }
  });
  if (first !== undefined) return [first, ...others];
  const found = text.includes('PRIVATE KEY-----') ? 'a private key' : 'no PEM certificate';
  throw refusal(`the ${what} has ${found} in it; give a file with -----BEGIN CERTIFICATE-----`);
}

function readKey(key: Uint8Array): KeyObject {
  const text = decodeUtf8(key);
  if (!text.includes('PRIVATE KEY-----')) {
    throw refusal('the TLS key has no PEM private key in it; give a file with -----BEGIN PRIVATE KEY-----');
  }
  if (text.includes('ENCRYPTED')) {
    throw refusal('the TLS key has a passphrase; give it without one, in a file that only the service may read');
  }
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw refusal(`the TLS key cannot be read: ${messageOf(cause)}; give a private key as PEM`, cause);
  }
}

function isInTime({ notBeforeMs, notAfterMs }: PeerIdentity, nowMs: number): boolean {
  return nowMs >= notBeforeMs && nowMs <= notAfterMs;
}

function assertInTime(identity: PeerIdentity, what: string, nowMs: number): void {
  const { subject, notBeforeMs, notAfterMs } = identity;
  if (isInTime(identity, nowMs)) return;
  const reason =
    nowMs < notBeforeMs
      ? `is not valid before ${isoTime(notBeforeMs)}; check the clock, or wait`
      : `expired at ${isoTime(notAfterMs)}; have it renewed`;
  throw refusal(`the ${what} of ${subject} ${reason}`);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000', '');
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function refusal(message: string, cause?: unknown): TransportError {
  return new TransportError('KAYA_TLS_MATERIAL', message, cause === undefined ? undefined : { cause });
}
