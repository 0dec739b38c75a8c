/** Garbage of what came before must not be collected inside a timed stretch. */

/** Requires: node --expose-gc. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('the benchmark must run in node --expose-gc');
  globalThis.gc();
}
