/**
 * Checks recorded histories again: `node --import tsx --conditions=@kayadb/source private/testkit/src/linearizability/main.ts FILE...`.
 * Ends with 0 when all are linearizable, with 1 and the explanations otherwise, with 2 when it could not tell.
 */

import { readHistoryFile } from '../history/history-file.ts';
import { checkHistory } from './check-history.ts';

const EXIT_CODES = { linearizable: 0, faulty: 1, undecided: 2 } as const;

let worst = 0;
for (const path of process.argv.slice(2)) {
  const history = readHistoryFile(path);
  const verdict = checkHistory(history);
  worst = worst === 1 ? worst : Math.max(worst, EXIT_CODES[verdict.kind]);
  if (verdict.kind === 'faulty') worst = 1;
  const explanation = verdict.kind === 'faulty' ? `: ${verdict.explanation}` : '';
  process.stdout.write(`${path}: ${history.operations.length} operations: ${verdict.kind}${explanation}\n`);
}
process.exitCode = worst;
