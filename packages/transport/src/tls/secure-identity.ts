/**
 * What a process proves itself with and whom it trusts: one object for all its listeners and dials, whose certificate, key and CA can be
 * replaced while it runs. Listeners take up what is new for the handshakes after, dials at the next one; connections that are up stay.
 *
 * Invariant: what is in force has been checked; a replacement that is refused changes nothing.
 */

import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

import { TransportError } from '../transport-error.ts';
import type { PeerIdentity } from './peer-identity.ts';
import { type CheckedMaterial, checkTlsMaterial, type TlsMaterial } from './tls-material.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export const DEFAULT_TLS_VERSION: TlsVersion = 'TLSv1.3';

export class SecureIdentity {
  #material: CheckedMaterial;
  readonly #contexts = new Map<TlsVersion, SecureContext>();
  readonly #listeners = new Set<() => void>();

  /**
   * @param nowMs - Milliseconds since 1970: nothing may be out of its time.
   * @throws TransportError KAYA_TLS_MATERIAL, in one sentence for the operator.
   */
  constructor(material: TlsMaterial, nowMs: number) {
    this.#material = checkUsable(material, nowMs);
  }

  /** What this side's certificate says; `undefined` when there is none. */
  get own(): PeerIdentity | undefined {
    return this.#material.pair?.identity;
  }

  /** The CAs that are trusted; `undefined` when none were given. */
  get authorities(): readonly PeerIdentity[] | undefined {
    return this.#material.ca?.identities;
  }

  /**
   * Puts other material in force, of the same parts: one that was there cannot go, since that would turn a check off.
   *
   * @throws TransportError KAYA_TLS_MATERIAL; what was in force stays.
   */
  replace(material: TlsMaterial, nowMs: number): void {
    const checked = checkUsable(material, nowMs);
    const lost =
      (this.own !== undefined && checked.pair === undefined && 'certificate') || this.#lostAuthorities(checked);
    if (lost !== false) {
      throw new TransportError(
        'KAYA_TLS_MATERIAL',
        `the new TLS material has no ${lost}, and the old one had; give one`,
      );
    }
    this.#material = checked;
    this.#contexts.clear();
    for (const listener of this.#listeners) listener();
  }

  /** @returns What takes `listener` off again. */
  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** For a dial that begins now. */
  secureContext(minVersion: TlsVersion): SecureContext {
    const known = this.#contexts.get(minVersion);
    if (known !== undefined) return known;
    const context = createSecureContext(this.contextOptions(minVersion));
    this.#contexts.set(minVersion, context);
    return context;
  }

  /** For a listener, now and at each replacement. Nothing is resumed: each connection shows its certificate again. */
  contextOptions(minVersion: TlsVersion): SecureContextOptions {
    return contextOptions(this.#material, minVersion);
  }

  #lostAuthorities(checked: CheckedMaterial): 'CA' | false {
    return this.authorities !== undefined && checked.ca === undefined && 'CA';
  }
}

function checkUsable(material: TlsMaterial, nowMs: number): CheckedMaterial {
  const checked = checkTlsMaterial(material, nowMs);
  try {
    createSecureContext(contextOptions(checked, DEFAULT_TLS_VERSION));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the TLS certificate, key or CA cannot be used: ${reason}; give others, with longer keys or newer algorithms`;
    throw new TransportError('KAYA_TLS_MATERIAL', message, { cause });
  }
  return checked;
}

function contextOptions({ pair, ca }: CheckedMaterial, minVersion: TlsVersion): SecureContextOptions {
  return {
    minVersion,
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }),
    ...(ca === undefined ? {} : { ca: ca.text }),
  };
}
