/** Gives the event loop a turn: work on a simulated disk is promises alone, and lets no timer, no progress and no message of the runner in. */

/** Bound: time in one go. */
const TURN_MS = 200;

let turnStartMs = performance.now();

/** Call between two units of work. */
export async function breathe(): Promise<void> {
  if (performance.now() - turnStartMs < TURN_MS) return;
  await new Promise((resolve) => setImmediate(resolve));
  turnStartMs = performance.now();
}
