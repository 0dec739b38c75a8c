/** What is wrong with how the program was started. */

import { KayaError } from '@kayadb/codec';

export type UsageErrorCode = 'KAYA_USAGE';

/** `hint` says what to do instead, as a second sentence. */
export class UsageError extends KayaError<UsageErrorCode> {
  readonly hint: string;

  constructor(message: string, hint: string, options?: { readonly cause?: unknown }) {
    super('KAYA_USAGE', message, options);
    this.hint = hint;
  }
}
