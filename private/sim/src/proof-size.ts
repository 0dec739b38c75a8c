/**
 * How much is tried: `ci` takes seconds to minutes, `long` (`KAYA_PROOF_SIZE=long`) as long as it takes.
 */

export type ProofSize = 'ci' | 'long';

/** The size of this run. @throws RangeError for another word. */
export const proofSize: ProofSize = parseProofSize(process.env['KAYA_PROOF_SIZE']);

/** The value for this run's size. */
export function sized<Value>(values: { readonly ci: Value; readonly long: Value }): Value {
  return values[proofSize];
}

function parseProofSize(text: string | undefined): ProofSize {
  if (text === undefined || text === '') return 'ci';
  if (text === 'ci' || text === 'long') return text;
  throw new RangeError(`KAYA_PROOF_SIZE must be ci or long, not "${text}"`);
}
