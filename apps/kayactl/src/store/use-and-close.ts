/** Something open, for the length of one command. */

/** Runs `use` on `opened`, which is closed before this resolves or rejects. */
export async function useAndClose<Opened extends { close(): Promise<void> }, Result>(
  opened: Opened,
  use: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await use(opened);
  } catch (error) {
    // The first failure is the one to report.
    await opened.close().catch(() => {});
    throw error;
  }
  await opened.close();
  return result;
}
