/**
 * Flags that the original server has and this build cannot honour. They are refused, never ignored: a server that
 * starts without the protection or the peers it was asked for is worse than one that does not start.
 */

import { UsageError } from './usage-error.ts';

interface Unavailable {
  /** Completes "is not available: ...". */
  readonly reason: string;
  readonly environment?: string;
}

const CLUSTER = 'this build runs a single node';
const ACCESS = 'this build knows one client and one operator token only';
const ENCRYPTION = 'this build does not encrypt data at rest';
const TLS = 'this build does not speak TLS; listen on loopback behind a TLS sidecar';
const AUDIT = 'this build writes no audit log; failed attempts are in the ordinary log';
const METRICS = 'this build has no HTTP port; ask for STATS with kayactl';
const EBPF = 'this build has no eBPF probes';

export const UNAVAILABLE: Readonly<Record<string, Unavailable>> = {
  peer: { reason: CLUSTER },
  'join-cluster': { reason: CLUSTER },
  drain: { reason: CLUSTER, environment: 'KAYA_DRAIN' },
  'max-clock-offset-micros': { reason: CLUSTER, environment: 'KAYA_MAX_CLOCK_OFFSET_MICROS' },
  'acl-file': { reason: ACCESS, environment: 'KAYA_ACL_FILE' },
  'tenant-file': { reason: ACCESS, environment: 'KAYA_TENANT_FILE' },
  'encryption-key-file': { reason: ENCRYPTION, environment: 'KAYA_ENCRYPTION_KEY_FILE' },
  'encryption-keyring-file': { reason: ENCRYPTION, environment: 'KAYA_ENCRYPTION_KEYRING_FILE' },
  'tls-cert': { reason: TLS, environment: 'KAYA_TLS_CERT' },
  'tls-key': { reason: TLS, environment: 'KAYA_TLS_KEY' },
  'tls-ca': { reason: TLS, environment: 'KAYA_TLS_CA' },
  'audit-log': { reason: AUDIT },
  'audit-syslog': { reason: AUDIT, environment: 'KAYA_AUDIT_SYSLOG' },
  'metrics-addr': { reason: METRICS },
  'dashboard-addr': { reason: METRICS },
  ebpf: { reason: EBPF },
  'ebpf-seed': { reason: EBPF },
  otel: { reason: 'this build sends no traces' },
};

/** @throws UsageError for the first of `argv` and `env` that asks for what is not there. */
export function refuseUnavailable(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): void {
  for (const argument of argv) {
    const name = /^--(?<name>[^=]+)/u.exec(argument)?.groups?.['name'] ?? '';
    if (Object.hasOwn(UNAVAILABLE, name)) refuse(`--${name}`, UNAVAILABLE[name]!.reason);
  }
  for (const { reason, environment } of Object.values(UNAVAILABLE)) {
    if (environment !== undefined && (env[environment] ?? '').trim() !== '') refuse(environment, reason);
  }
}

/** @throws UsageError always. */
export function refuse(what: string, reason: string): never {
  throw new UsageError(`${what} is not available: ${reason}`, 'leave it out to start without it');
}
