/** One error for several failures, with a code to act on. */

import { KayaError } from '@kayadb/codec';

/**
 * The failure itself when it is the only one. Otherwise an error with the code of the first, whose consequences the others tend to be: the
 * message has all of theirs, and `cause` is an AggregateError of them. A failure without a code is a fault of the engine, and no code
 * may hide it: then that AggregateError itself.
 *
 * @param failures - At least one.
 * @param what - For the message: what failed.
 */
export function joinFailures(failures: readonly unknown[], what: string): unknown {
  const [first] = failures;
  if (failures.length === 1) return first;
  const messages = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
  const message = `${what} failed in ${failures.length} ways: ${messages.join('; ')}`;
  const all = new AggregateError(failures, message, { cause: first });
  if (!(first instanceof KayaError) || !failures.every((failure) => failure instanceof KayaError)) return all;
  return new KayaError(first.code, message, { cause: all });
}
