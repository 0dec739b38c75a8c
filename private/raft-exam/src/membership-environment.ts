/** Scripts of the commands `simple`, `enter-joint` and `leave-joint`, each with steps as input: what they make of a configuration and its members. */

import type { ConfigStep } from '@kayadb/raft';
import {
  changeSimply,
  describeConfiguration,
  describeProgress,
  enterJoint,
  leaveJoint,
  type MembershipResult,
  ProgressTracker,
  viewProgress,
} from '@kayadb/raft/testing';

import type { Environment } from './environment.ts';
import { toBoolean, valueOf } from './script/arguments.ts';
import { CommandError } from './script/command-error.ts';
import type { Directive } from './script/parse-script.ts';
import { parseSteps } from './script/parse-steps.ts';

export class MembershipEnvironment implements Environment {
  readonly #tracker = new ProgressTracker({ maxMessages: 10, maxBytes: Infinity });
  /** Counts directives, so that the progress of a member tells by which of them it was added. */
  #lastIndex = 0;

  run(directive: Directive): string {
    try {
      return this.#change(directive);
    } catch (error) {
      if (error instanceof CommandError) return error.message;
      throw error;
    } finally {
      this.#lastIndex++;
    }
  }

  #change(directive: Directive): string {
    const result = this.#resultOf(directive, parseSteps(directive.input));
    if (result.kind === 'refused') return result.reason;
    this.#tracker.apply(result, this.#lastIndex);
    const members = [...this.#tracker.progress].map(
      ([id, progress]) => `${id}: ${describeProgress(viewProgress(progress))}\n`,
    );
    return `${describeConfiguration(this.#tracker.configuration)}\n${members.join('')}`;
  }

  #resultOf({ command, args }: Directive, steps: readonly ConfigStep[]): MembershipResult {
    const { configuration } = this.#tracker;
    switch (command) {
      case 'simple':
        return changeSimply(configuration, steps);
      case 'enter-joint':
        return enterJoint(configuration, steps, args.length > 0 && toBoolean(valueOf(args, 'autoleave')));
      case 'leave-joint':
        if (steps.length > 0) throw new CommandError('this command takes no input');
        return leaveJoint(configuration);
      default:
        throw new CommandError('unknown command');
    }
  }
}
