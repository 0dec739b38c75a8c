/** What a proof made of a planted bug. */

export interface ProofOutcome {
  /**
   * - `found`: an assertion of the proof failed, or the engine gave an error where the proof expects none.
   * - `thrown`: a test failed by another error: perhaps the mutant makes no sense.
   * - `survived`: every test passed.
   * - `broken`: the sources do not load, or no test ran: this says nothing.
   */
  readonly verdict: 'found' | 'thrown' | 'survived' | 'broken';
  readonly message: string;
  /** Whether the changed file was loaded at all. */
  readonly isPlanted: boolean;
  readonly seconds: number;
}
