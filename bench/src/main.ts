/** The command: `corepack pnpm bench:engine`. Tables go to standard output, progress to standard error. */

import { benchmark } from './benchmark.ts';
import { parseOptions } from './options.ts';
import { renderText } from './report/report.ts';

const options = parseOptions(process.argv.slice(2));
const startMs = performance.now();
const report = await benchmark(options, (done, total, { round, engine, steps }) => {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const names = steps.map(({ stage }) => stage).join(', ');
  process.stderr.write(`${seconds} s, ${done}/${total}: round ${round}, ${names}, ${engine}\n`);
});
process.stdout.write(renderText(report));
process.stderr.write(`written to ${options.out}\n`);
// A figure that could not be measured must not look like one that was not asked for.
if (report.results.gaps.some(({ failed }) => failed)) process.exitCode = 1;
