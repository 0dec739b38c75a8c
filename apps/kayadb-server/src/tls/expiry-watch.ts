/** Says in time that a certificate is about to expire: 30, 7 and 1 days before, and when it has. */

import type { Logger } from '@kayadb/server';
import type { PeerIdentity, SecureIdentity } from '@kayadb/transport';

const DAY_MS = 86_400_000;
/** Each is told once for each certificate. */
const NOTICE_DAYS = [30, 7, 1, 0] as const;

/** @returns The least of 30, 7, 1 and 0 that is not below the days left; `undefined` while there are more. */
export function dueNotice(notAfterMs: number, nowMs: number): number | undefined {
  const leftMs = notAfterMs - nowMs;
  return NOTICE_DAYS.findLast((days) => leftMs <= days * DAY_MS);
}

export class ExpiryWatch {
  readonly #logger: Logger;
  /** What was told last, by key and end of the certificate. Bound: certificates that were in force and near their end. */
  readonly #told = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Tells what became due since it was called last. */
  look({ own, authorities = [] }: Pick<SecureIdentity, 'own' | 'authorities'>, nowMs: number): void {
    if (own !== undefined) this.#maybeTell('certificate', own, nowMs);
    for (const authority of authorities) this.#maybeTell('CA', authority, nowMs);
  }

  #maybeTell(what: 'certificate' | 'CA', { subject, spkiSha256, notAfterMs }: PeerIdentity, nowMs: number): void {
    const notice = dueNotice(notAfterMs, nowMs);
    const key = `${spkiSha256} ${notAfterMs}`;
    if (notice === undefined || notice >= (this.#told.get(key) ?? Infinity)) return;
    this.#told.set(key, notice);
    const notAfter = new Date(notAfterMs).toISOString();
    const fields = { event: 'tls.expiry', what, subject, notAfter };
    if (notice === 0) {
      this.#logger.error(
        fields,
        `the TLS ${what} of ${subject} has expired, and nobody trusts it any more; replace it`,
      );
      return;
    }
    const left = Math.ceil((notAfterMs - nowMs) / DAY_MS);
    const days = left === 1 ? 'within a day' : `in ${left} days`;
    this.#logger.warn(fields, `the TLS ${what} of ${subject} expires ${days}; replace it`);
  }
}
