/** The composition root: the real process around `runKayactl`. */

import { randomBytes } from 'node:crypto';

import { connect, systemClock } from '@kayadb/client';
import { nodeFileSystem, nodeProcessTable } from '@kayadb/vfs';

import { EXIT } from './exit-codes.ts';
import { runKayactl } from './run-kayactl.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first one asks to stop cleanly; whoever asks twice does not want to wait for it.
    if (interruption.signal.aborted) process.exit(signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted);
    interruption.abort(signal);
  });
}

process.exitCode = await runKayactl(process.argv.slice(2), {
  get stdin() {
    // Only a command that reads it opens it.
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  fileSystem: nodeFileSystem(),
  processes: nodeProcessTable(),
  clock: systemClock(),
  wallClock: () => Date.now(),
  connect,
  randomBytes,
  yieldTurn: () => new Promise((resolve) => void setImmediate(resolve)),
  signal: interruption.signal,
});
// What was given up may still wait for a disk or a pipe, and would keep the process alive.
if (interruption.signal.aborted) process.exit();
