/** The command: `corepack pnpm bench:engine`. Tables go to standard output, progress to standard error. */

import { benchmark } from './benchmark.ts';
import { metricOf } from './metrics.ts';
import { parseOptions } from './options.ts';
import { formatValue } from './report/format-number.ts';
import { renderText } from './report/report.ts';
import type { Progress } from './run/run-benchmark.ts';

const options = parseOptions(process.argv.slice(2));
const startMs = performance.now();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interruption.abort(new Error(`ended by ${signal}`)));
}
const progress: Progress = {
  started: ({ round, engine, steps }, done, total) => {
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    const names = steps.map(({ stage }) => stage).join(', ');
    process.stderr.write(`${seconds} s, ${done} of ${total} done; round ${round}, ${engine}: ${names}\n`);
  },
  finished: (_, figures, gaps) => {
    for (const { metric, value } of figures) {
      process.stderr.write(`  ${metric}: ${formatValue(value, metricOf(metric).unit)}\n`);
    }
    for (const { metric, reason } of gaps.filter(({ failed }) => failed)) {
      process.stderr.write(`  ${metric} FAILED: ${reason}\n`);
    }
  },
};
try {
  const report = await benchmark(options, progress, interruption.signal);
  process.stdout.write(renderText(report));
  process.stderr.write(`written to ${options.out}\n`);
  // A figure that could not be measured must not look like one that was not asked for.
  if (report.results.gaps.some(({ failed }) => failed)) process.exitCode = 1;
} catch (error) {
  if (!interruption.signal.aborted) throw error;
  process.stderr.write(`${(error as Error).message}; nothing is written\n`);
  process.exitCode = 1;
}
