/** So many writers, or readers, side by side, each of which starts its next operation when its last one is done. */

/**
 * @param count - Operations.
 * @param writers - In flight at a time.
 * @param operate - Does operation `index`, 0 to `count` - 1.
 */
export async function runConcurrently(
  count: number,
  writers: number,
  operate: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next++;
      await operate(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(writers, count) }, work));
}
