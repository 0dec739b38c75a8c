/**
 * `raft:script FILE...`: runs scripts, and prints each directive that differs, what was expected and what came, and how many they were.
 * Ends with 0 when none differs, with 1 when any does, with 2 and one sentence for a file that cannot be read or is no script.
 */

import { runFiles } from './run-files.ts';

process.exitCode = runFiles(process.argv.slice(2), {
  print: (line) => process.stdout.write(line),
  complain: (line) => process.stderr.write(line),
});
