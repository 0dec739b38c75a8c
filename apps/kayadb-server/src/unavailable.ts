/**
 * Flags that the original server has and this build cannot honour. They are refused, never ignored: a server that
 * starts without the protection it was asked for is worse than one that does not start.
 */

import { UsageError } from './usage-error.ts';

interface Unavailable {
  /** Completes "is not available: ...". */
  readonly reason: string;
  readonly environment?: string;
}

const ACCESS = 'this build knows one client and one operator token only';
const ENCRYPTION = 'this build does not encrypt data at rest';
const AUDIT = 'this build writes no audit log; failed attempts are in the ordinary log';
const EBPF = 'this build has no eBPF probes';

export const UNAVAILABLE: Readonly<Record<string, Unavailable>> = {
  drain: {
    reason: 'a node that is to serve nobody is stopped, by SIGTERM, and hands its leadership over first',
    environment: 'KAYA_DRAIN',
  },
  'interval-ms': {
    reason: 'a node acknowledges what is on disk, and syncs at no interval; that is a mode of the embedded engine',
    environment: 'KAYA_INTERVAL_MS',
  },
  'max-clock-offset-micros': {
    reason: 'nodes never compare their clocks, so they may be apart by any offset',
    environment: 'KAYA_MAX_CLOCK_OFFSET_MICROS',
  },
  'acl-file': { reason: ACCESS, environment: 'KAYA_ACL_FILE' },
  'tenant-file': { reason: ACCESS, environment: 'KAYA_TENANT_FILE' },
  'encryption-key-file': { reason: ENCRYPTION, environment: 'KAYA_ENCRYPTION_KEY_FILE' },
  'encryption-keyring-file': { reason: ENCRYPTION, environment: 'KAYA_ENCRYPTION_KEYRING_FILE' },
  'audit-log': { reason: AUDIT },
  'audit-syslog': { reason: AUDIT, environment: 'KAYA_AUDIT_SYSLOG' },
  'dashboard-addr': { reason: 'this build has no dashboard; metrics and status are at --metrics-addr' },
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
