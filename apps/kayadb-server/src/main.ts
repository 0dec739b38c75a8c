/** The composition root: the real process around `run`. */

import { randomBytes } from 'node:crypto';

import { AssertionError, type Clock } from '@kayadb/codec';
import { nodeNetwork } from '@kayadb/transport';
import { nodeFileSystem, nodeProcessTable } from '@kayadb/vfs';
import { destination } from 'pino';

import { EXIT } from './describe-failure.ts';
import { createLogger } from './logger.ts';
import { run } from './run.ts';

/** Ctrl-C reaches the node from the terminal and, under pnpm, once more from pnpm: within this time it is one wish. */
const ECHO_MS = 500;

/** What a shell reports for a process that the signal ended. */
const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/** How long files that are still being read at the end may take. */
const LAST_READS_MS = 5_000;
const LOOK_MS = 50;

const clock: Clock = {
  now: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

// Synchronous, so that the last line of a dying process is not lost.
const logDestination = destination({ fd: 2, sync: true });

// Whoever reads the output may go away; the node must not.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
logDestination.on('error', () => {});

function handleUncaught(error: unknown): void {
  const logger = createLogger('fatal', undefined, logDestination);
  logger.fatal({ event: 'process.failed', err: error }, 'ended by an error that nobody expected');
  process.exit(error instanceof AssertionError ? EXIT.invariant : EXIT.failure);
}
process.on('uncaughtException', handleUncaught);
process.on('unhandledRejection', handleUncaught);

/**
 * At once, and whatever its threads wait for: `process.exit` waits for them, and a disk that does not answer holds them for ever. The first process of a container cannot be ended by a signal
 * of its own, so it exits: with `exitCode`.
 */
function endBy(signal: NodeJS.Signals, exitCode: number): never {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.exit(exitCode);
}

function isReadingFiles(): boolean {
  return process.getActiveResourcesInfo().some((kind) => kind.startsWith('FSReq'));
}

const stopRequested = new Promise<string>((resolve) => {
  let askedAtMs: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const nowMs = performance.now();
      const isEcho = signal === 'SIGINT' && nowMs - (askedAtMs ?? nowMs) < ECHO_MS;
      // Whoever asks twice does not want to wait.
      if (askedAtMs !== undefined && !isEcho) endBy(signal, EXIT_BY_SIGNAL[signal]);
      askedAtMs ??= nowMs;
      resolve(signal);
    });
  }
});

// A hangup without anybody who listens would end the process.
let handleHangup = (): void => {};
process.on('SIGHUP', () => handleHangup());

// Nothing that is waited for below keeps a process alive by itself; only `exit` ends this one.
setInterval(() => {}, 2 ** 30);

const end = { isUnclosed: false };

const exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  isRoot: process.getuid?.() === 0,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  logDestination,
  fileSystem: nodeFileSystem(),
  storeFileSystem: undefined,
  processes: nodeProcessTable(),
  network: nodeNetwork({ clock }),
  clock,
  wallClock: () => Date.now(),
  random: {
    fraction: () => Math.random(),
    integer: (limit) => Math.floor(Math.random() * limit),
    bytes: (count) => new Uint8Array(randomBytes(count)),
  },
  yieldTurn: () =>
    new Promise((resolve) => {
      setImmediate(resolve);
    }),
  stopRequested,
  onUnclosed: () => {
    end.isUnclosed = true;
  },
  onReloadRequested: (listener) => {
    handleHangup = listener;
  },
});
for (let ms = 0; !end.isUnclosed && isReadingFiles() && ms < LAST_READS_MS; ms += LOOK_MS) {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
if (end.isUnclosed || isReadingFiles()) {
  const message =
    'not everything was closed in time, so the process kills itself: threads that wait for the disk would keep it';
  createLogger('fatal', undefined, logDestination).fatal({ event: 'process.killed' }, message);
  endBy('SIGKILL', exitCode);
}
process.exit(exitCode);
