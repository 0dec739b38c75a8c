/** What a node refuses by itself, before or besides the engine. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

export type ServerErrorCode =
  | 'KAYA_INVALID_ARGUMENT'
  | 'KAYA_SCAN_TOO_LARGE'
  | 'KAYA_MEMBERSHIP_REFUSED'
  | 'KAYA_ACCESS_DENIED'
  | 'KAYA_PROTOCOL'
  | 'KAYA_UNSUPPORTED'
  | 'KAYA_CANCELLED'
  | 'KAYA_DEADLINE'
  | 'KAYA_ANSWER_TOO_LARGE'
  | 'KAYA_SCAN_ENDED'
  | 'KAYA_TOO_MANY_SCANS'
  | 'KAYA_TOO_MANY_CONNECTIONS'
  | 'KAYA_STOP_TIMEOUT';

export class ServerError extends KayaError<ServerErrorCode> {}

/** Which of the two tokens an operation needs. */
export type CredentialKind = 'client' | 'operator';

/** Its message is part of protocol v1 and goes to the client as it is. */
export class AccessDeniedError extends ServerError {
  readonly required: CredentialKind;
  /** `missing`: none was sent. `wrong`: one was, and it is not the configured one. */
  readonly reason: 'missing' | 'wrong';

  constructor(required: CredentialKind, reason: 'missing' | 'wrong') {
    super('KAYA_ACCESS_DENIED', `${required} credential required or invalid`);
    this.required = required;
    this.reason = reason;
  }
}
