/**
 * How much is tried. Every proof is one test that runs in two sizes: `ci`, which takes seconds to minutes, and `long` (`KAYA_PROOF_SIZE=long`), which
 * takes minutes to hours and whose figures are kept (docs/internals/proof.md).
 */

export type ProofSize = 'ci' | 'long';

/** The size of this run: `KAYA_PROOF_SIZE`. @throws RangeError for another word. */
export const proofSize: ProofSize = parseProofSize(process.env['KAYA_PROOF_SIZE']);

/** What a test allows itself, in milliseconds; 0, no limit, in the long run. */
export function timeoutFor(ciMs: number): number {
  return proofSize === 'long' ? 0 : ciMs;
}

/** The value for this run's size. */
export function sized<Value>(values: { readonly ci: Value; readonly long: Value }): Value {
  return values[proofSize];
}

function parseProofSize(text: string | undefined): ProofSize {
  if (text === undefined || text === '') return 'ci';
  if (text === 'ci' || text === 'long') return text;
  throw new RangeError(`KAYA_PROOF_SIZE must be ci or long, not "${text}"`);
}
