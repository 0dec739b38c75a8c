/**
 * Checks recorded histories again: `node --import tsx --conditions=@kayadb/source private/testkit/src/linearizability/main.ts FILE...`.
 * Ends with 0 when all are linearizable, with 1 and the explanations otherwise, with 2 when it could not tell.
 */

import { checkFiles } from './check-files.ts';

process.exitCode = checkFiles(process.argv.slice(2), (text) => process.stdout.write(text));
