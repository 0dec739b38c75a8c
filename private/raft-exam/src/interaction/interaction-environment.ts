/**
 * Scripts in which nodes act on each other, a command at a time: docs of each command are beside its function.
 * A command that fails prints why, behind what it has printed so far; one that has nothing to print prints `ok`.
 */

import type { Environment } from '../environment.ts';
import { argumentAt } from '../script/arguments.ts';
import { CommandError } from '../script/command-error.ts';
import type { Directive } from '../script/parse-script.ts';
import { addNodes } from './add-nodes.ts';
import { deliverMessages, sendSnapshot, stabilize } from './delivery-commands.ts';
import {
  campaign,
  compact,
  forgetLeader,
  propose,
  proposeChange,
  reportUnreachable,
  setElectionTimeout,
  tick,
  transferLeadership,
} from './input-commands.ts';
import { ELECTION_TICKS, HEARTBEAT_TICKS } from './script-node.ts';
import { processAppendThreadOf, processApplyThreadOf, processReadyOf } from './storage-commands.ts';
import { showLogOf, showStates, showStatus } from './view-commands.ts';
import { World } from './world.ts';

type Command = (world: World, args: Directive['args'], input: string) => void;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  // A place to stop a debugger at.
  ['_breakpoint', () => undefined],
  ['add-nodes', addNodes],
  ['campaign', campaign],
  ['compact', compact],
  ['deliver-msgs', deliverMessages],
  ['forget-leader', forgetLeader],
  ['log-level', (world, args) => world.output.setLevel(argumentAt(args, 0).key)],
  ['process-append-thread', processAppendThreadOf],
  ['process-apply-thread', processApplyThreadOf],
  ['process-ready', processReadyOf],
  ['propose', propose],
  ['propose-conf-change', proposeChange],
  ['raft-log', showLogOf],
  ['raft-state', showStates],
  ['report-unreachable', reportUnreachable],
  ['send-snapshot', sendSnapshot],
  ['set-randomized-election-timeout', setElectionTimeout],
  ['stabilize', stabilize],
  ['status', showStatus],
  ['tick-election', (world, args) => tick(world, args, ELECTION_TICKS)],
  ['tick-heartbeat', (world, args) => tick(world, args, HEARTBEAT_TICKS)],
  ['transfer-leadership', transferLeadership],
]);

export class InteractionEnvironment implements Environment {
  readonly #world: World;

  constructor(checkInvariants: boolean) {
    this.#world = new World(checkInvariants);
  }

  run({ command, args, input }: Directive): string {
    const { output } = this.#world;
    output.clear();
    try {
      this.#execute(command, args, input);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (output.isQuiet) return error.message;
      output.write(error.message);
    }
    return output.text === '' ? 'ok' : output.text;
  }

  #execute(command: string, args: Directive['args'], input: string): void {
    const execute = COMMANDS.get(command);
    if (execute === undefined) throw new CommandError('unknown command');
    execute(this.#world, args, input);
  }
}
