/** What the program's exit status says. The numbers are those of the original program's code, so that scripts keep working. */

export const EXIT = {
  ok: 0,
  /** Input/output, disk full, network, not the leader, and everything without a number of its own. */
  io: 1,
  notFound: 2,
  corruption: 3,
  /** Wrong arguments, wrong input data, or a version that this program does not speak. */
  invalidArgument: 4,
  invariant: 5,
  lockConflict: 6,
  /** Ended by Ctrl-C, as every shell counts it: 128 + 2. */
  interrupted: 130,
  /** Ended by SIGTERM: 128 + 15. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
