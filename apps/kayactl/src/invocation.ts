/** One run of the program: what commands are given, and the exit status they leave. */

import type { Command, OptionValues } from 'commander';

import { type ExitCode, EXIT } from './exit-codes.ts';
import { type GlobalOptions, readGlobalOptions } from './global-options.ts';
import type { KayactlIo } from './io.ts';
import { Output } from './output.ts';

export interface CommandContext {
  readonly io: KayactlIo;
  readonly output: Output;
  readonly globals: GlobalOptions;
}

/** @param args - The words after the command's name, without flags; commander has checked their number. */
export type Handler<Flags> = (context: CommandContext, args: readonly string[], flags: Flags) => Promise<ExitCode>;

export class Invocation {
  readonly io: KayactlIo;
  readonly output: Output;
  exitCode: ExitCode = EXIT.ok;

  constructor(io: KayactlIo) {
    this.io = io;
    this.output = new Output(io.stdout, io.stderr);
  }

  /** Makes `handler` what `command` does. */
  handle<Flags extends OptionValues>(command: Command, handler: Handler<Flags>): void {
    command.action(async () => {
      const globals = await readGlobalOptions(command.optsWithGlobals(), this.io);
      const context = { io: this.io, output: this.output, globals };
      this.exitCode = await handler(context, command.args, command.opts<Flags>());
    });
  }
}
