/** Recorded histories, looked at again: what each comes to, in words, and an exit code for all. */

import { readHistoryFile } from '../history/history-file.ts';
import { checkHistory } from './check-history.ts';

const EXIT_CODES = { linearizable: 0, undecided: 2, faulty: 1 } as const;

/**
 * @returns 0 when all are linearizable, 1 when one is not, else 2 when it could not be told of one.
 * @throws SyntaxError naming the line for a file that is no history.
 */
export function checkFiles(paths: readonly string[], print: (text: string) => void): number {
  const codes = paths.map((path) => {
    const history = readHistoryFile(path);
    const verdict = checkHistory(history);
    const explanation = verdict.kind === 'faulty' ? `: ${verdict.explanation}` : '';
    print(`${path}: ${history.operations.length} operations: ${verdict.kind}${explanation}\n`);
    return EXIT_CODES[verdict.kind];
  });
  return codes.find((code) => code === EXIT_CODES.faulty) ?? Math.max(0, ...codes);
}
