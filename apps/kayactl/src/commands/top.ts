/** `kayactl top` */

import type { Timer } from '@kayadb/codec';
import type { Command } from 'commander';

import { usageError } from '../cli-error.ts';
import { drawPicture } from '../cluster/cluster-picture.ts';
import { requireServers } from '../cluster/run-change.ts';
import { type NodeReport, Survey } from '../cluster/survey.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { parseCount } from '../global-options.ts';
import { interruptedError } from '../interruption.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { useAndClose } from '../store/use-and-close.ts';
import { Screen } from '../top/screen.ts';
import { drawFrame, type Samples } from '../top/top-frame.ts';

interface TopFlags {
  readonly interval?: number;
}

const DEFAULT_INTERVAL_S = 2;
const MAX_INTERVAL_S = 3_600;

/** Bound: how long a node may take that does not answer; the picture waits for it. */
const MAX_TIMEOUT_MS = 2_000;

const QUIT_KEYS: ReadonlySet<string> = new Set(['q', 'Q', '\u0003']);

export function addTopCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('top')
    .summary('watch what the nodes of the cluster do')
    .description(
      'Asks all members for their state again and again, and shows on the terminal what each does: writes and reads a second, lag, ' +
        'sizes, compaction, stalls and syncs. q or Ctrl-C ends it.',
    )
    .option('--interval <seconds>', 'how often (default: 2)', (text) => parseCount(text, 1, MAX_INTERVAL_S));
  examples(command, ['kayactl --server 10.0.0.1:7379 top', 'kayactl --server 10.0.0.1:7379 top --interval 10']);
  invocation.handle<TopFlags>(command, async (context, _args, { interval = DEFAULT_INTERVAL_S }) => {
    requireServers(context, 'top');
    if (context.globals.json || context.output.stdout.isTTY !== true) {
      throw usageError(
        'top draws on a terminal',
        'For programs and files, run "kayactl status --json" again and again.',
      );
    }
    return watch(context, interval * 1_000);
  });
}

async function watch(context: CommandContext, intervalMs: number): Promise<ExitCode> {
  const { io } = context;
  const end = new Ending(io.signal);
  const screen = new Screen(io.stdin, io.stdout, (key) => {
    if (QUIT_KEYS.has(key)) end.quit();
  });
  const timeoutMs = Math.min(context.globals.timeoutMs ?? MAX_TIMEOUT_MS, MAX_TIMEOUT_MS);
  try {
    await useAndClose(new Survey(context, timeoutMs), async (survey) => {
      let before: Samples = new Map();
      for (let isEntered = false; ; isEntered = true) {
        const reports = await end.orQuit(survey.ask());
        if (reports === undefined) return;
        // Wrong use of the command is told on the screen that was there.
        if (!isEntered) screen.enter();
        const now = samplesOf(reports, io.clock.now());
        screen.draw(await drawFrame(drawPicture(reports), before, now, intervalMs));
        before = now;
        if (!(await end.within(intervalMs, context))) return;
      }
    });
  } finally {
    screen.leave();
  }
  if (io.signal.aborted) throw interruptedError(io.signal);
  return EXIT.ok;
}

function samplesOf(reports: readonly NodeReport[], atMs: number): Samples {
  return new Map(
    reports.flatMap((report) => (report.ok ? [[report.endpoint, { atMs, document: report.document }]] : [])),
  );
}

/** That the user wants no more: by a key, or by a signal. */
class Ending {
  readonly #ended: Promise<undefined>;
  #quit: () => void = () => {};
  #isOver = false;

  constructor(signal: AbortSignal) {
    this.#ended = new Promise((resolve) => {
      this.#quit = () => {
        this.#isOver = true;
        resolve(undefined);
      };
    });
    if (signal.aborted) this.#quit();
    signal.addEventListener('abort', this.#quit, { once: true });
  }

  quit(): void {
    this.#quit();
  }

  /** What `work` resolves with; `undefined` when the end comes first. */
  async orQuit<Result>(work: Promise<Result>): Promise<Result | undefined> {
    return Promise.race([work, this.#ended]);
  }

  /** Waits. @returns Whether time has passed and there is no end yet. */
  async within(ms: number, { io }: CommandContext): Promise<boolean> {
    let timer: Timer | undefined;
    const passed = new Promise<undefined>((resolve) => {
      timer = io.clock.setTimer(ms, () => resolve(undefined));
    });
    await Promise.race([passed, this.#ended]);
    timer?.cancel();
    return !this.#isOver;
  }
}
