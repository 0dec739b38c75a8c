/** The one error shape of KayaDB: a stable code for programs, one sentence for people. See docs/reference/errors.md. */

/**
 * Base of every typed error.
 *
 * The `code` is stable across releases; the message is free text in one sentence: what failed, on what,
 * what was expected, what to do. `cause` keeps the error underneath.
 */
export class KayaError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

export type DecodeErrorCode = 'KAYA_MALFORMED';

/** Bytes that are not what their format page says. `offset` counts from the start of the decoded input. */
export class DecodeError extends KayaError<DecodeErrorCode> {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super('KAYA_MALFORMED', `${message} (at byte ${offset})`);
    this.offset = offset;
  }
}
