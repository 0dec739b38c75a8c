/** Whether the node speaks TLS, with which files, and what it asks of clients. */

import type { TlsVersion } from '@kayadb/transport';

import type { Said } from '../layers.ts';
import type { SettingName } from '../settings.ts';
import { UsageError } from '../usage-error.ts';

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

export interface TlsConfig {
  readonly files: TlsFiles;
  readonly minClientVersion: TlsVersion;
  readonly requiresClientCertificate: boolean;
}

/** Each would be without effect, and whoever gives it believes to be protected. */
const WITHOUT_EFFECT_IN_CLEAR: readonly SettingName[] = [
  'tls-require-client-cert',
  'tls-min-client-version',
  'peer-identity',
];

/**
 * @returns `undefined` when everything is in clear.
 * @throws UsageError when some of it is there and some is missing: nothing of it is ever ignored.
 */
export function resolveTls({ settings, isGiven, nameOf }: Said): TlsConfig | undefined {
  const { 'tls-cert': certificate, 'tls-key': key, 'tls-ca': ca } = settings;
  if (certificate !== undefined && key !== undefined && ca !== undefined) {
    return {
      files: { certificate, key, ca },
      minClientVersion: settings['tls-min-client-version'] === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
      requiresClientCertificate: settings['tls-require-client-cert'],
    };
  }
  const missing = (['tls-cert', 'tls-key', 'tls-ca'] as const).filter((name) => settings[name] === undefined);
  const given = (['tls-cert', 'tls-key', 'tls-ca'] as const).find((name) => settings[name] !== undefined);
  if (given !== undefined) {
    throw new UsageError(
      `${nameOf(given)} is given, and ${missing.map((name) => `--${name}`).join(' and ')} not`,
      'TLS needs all three: this node shows its certificate, and asks other nodes for one of the CA; docs/operating/tls.md makes them',
    );
  }
  const lost = WITHOUT_EFFECT_IN_CLEAR.find((name) => isGiven(name) && settings[name] !== false);
  if (lost === undefined) return undefined;
  throw new UsageError(
    `${nameOf(lost)} is given, and TLS is not`,
    'pass --tls-cert, --tls-key and --tls-ca too, or leave it out',
  );
}
