/** `kayactl stats [--latency]` */

import type { Command } from 'commander';

import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { describeLatencies, readLatencies } from '../latencies.ts';
import { flattenDocument } from '../stats-text.ts';
import { withStore } from '../store/with-store.ts';

interface StatsFlags {
  readonly latency?: boolean;
}

export function addStatsCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('stats')
    .summary('print counters')
    .description(
      'Prints the counters of the server, or of the store as this command has just opened it (so most are zero). ' +
        'Times are microseconds. --json prints the document as the server sends it.',
    )
    .option('--latency', 'print how often, how long on average and at most, for each kind of work');
  examples(command, ['kayactl --server 127.0.0.1:7379 stats', 'kayactl --server 127.0.0.1:7379 stats --latency']);
  invocation.handle<StatsFlags>(command, async (context, _args, flags) => {
    const { output, globals } = context;
    const document = await withStore(context, { create: false }, (store) => store.stats());
    if (flags.latency === true) {
      const latencies = readLatencies(document);
      await (globals.json ? output.json({ latency: latencies }) : output.line(describeLatencies(latencies)));
    } else if (globals.json) {
      await output.json(document);
    } else {
      for (const [name, value] of flattenDocument(document)) await output.line(`${name} ${value}`);
    }
    return EXIT.ok;
  });
}
