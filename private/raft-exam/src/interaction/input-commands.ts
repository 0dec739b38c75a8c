/** The commands that tell a core something: time, proposals, elections, and what became of others. */

import type { ConfigChange, ConfigChangeV1, ConfigTransition, ProposeOutcome } from '@kayadb/raft';

import { argumentAt, eachValue, parseBoolean, toInteger, valueOf } from '../script/arguments.ts';
import { CommandError } from '../script/command-error.ts';
import type { Argument } from '../script/parse-line.ts';
import { parseSteps, parseUnsigned } from '../script/parse-steps.ts';
import { ScriptError } from '../script/script-error.ts';
import { showLog } from './view-commands.ts';
import type { World } from './world.ts';

const NO_CONTEXT = new Uint8Array();
const TRANSITIONS: readonly string[] = ['auto', 'implicit', 'explicit'];

/** `campaign 1`. @throws CommandError when there is no such node: the only command for which that is an answer. */
export function campaign(world: World, args: readonly Argument[]): void {
  const at = toInteger(argumentAt(args, 0).key) - 1;
  const node = world.nodes[at];
  if (node === undefined) throw new CommandError(`node index ${at} out of range [0, ${world.nodes.length})`);
  node.core.campaign();
}

/** `tick-election 1`, `tick-heartbeat 1`: as many ticks as that takes. */
export function tick(world: World, args: readonly Argument[], ticks: number): void {
  const { core } = world.firstNode(args);
  for (let i = 0; i < ticks; i++) core.tick();
}

/** `set-randomized-election-timeout 1 timeout=5`. */
export function setElectionTimeout(world: World, args: readonly Argument[]): void {
  const { core } = world.firstNode(args);
  const ticks = toInteger(valueOf(args, 'timeout'));
  if (ticks === 0) throw new ScriptError('a timeout of 0 is none');
  core.setRandomizedElectionTicks(ticks);
}

/** `propose 1 foo`. @throws CommandError when it is not taken. */
export function propose(world: World, args: readonly Argument[]): void {
  const { core } = world.firstNode(args);
  const { key, values } = argumentAt(args, 1);
  if (args.length !== 2 || values.length > 0) throw new ScriptError('a node and one word are needed');
  failIfDropped(core.propose([new TextEncoder().encode(key)]));
}

/** `propose-conf-change 1 v1=true transition=auto`, with steps as input. @throws CommandError when it is not taken. */
export function proposeChange(world: World, args: readonly Argument[], input: string): void {
  const { core } = world.firstNode(args);
  failIfDropped(core.proposeConfigChange(changeOf(args.slice(1), input)));
}

function changeOf(args: readonly Argument[], input: string): ConfigChange | ConfigChangeV1 {
  let isV1 = false;
  let transition: ConfigTransition = 'auto';
  for (const { key, value } of eachValue(args)) {
    if (key === 'v1') isV1 = toFlag(value);
    else if (key === 'transition') transition = toTransition(value);
    else throw new CommandError(`unknown command ${key}`);
  }
  const steps = parseSteps(input);
  if (!isV1) return { transition, steps, context: NO_CONTEXT };
  if (steps.length > 1 || transition !== 'auto') {
    throw new CommandError('v1 conf change can only have one operation and no transition');
  }
  const step = steps[0];
  if (step === undefined) throw new ScriptError('a v1 conf change needs an operation');
  return { step, context: NO_CONTEXT };
}

function toFlag(value: string): boolean {
  const flag = parseBoolean(value);
  if (flag === undefined) throw new CommandError(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
  return flag;
}

function toTransition(value: string): ConfigTransition {
  if (!TRANSITIONS.includes(value)) throw new CommandError(`unknown transition ${value}`);
  return value as ConfigTransition;
}

function failIfDropped(outcome: ProposeOutcome): void {
  if (outcome.kind === 'dropped') throw new CommandError('raft proposal dropped');
}

/** `transfer-leadership from=1 to=4`. */
export function transferLeadership(world: World, args: readonly Argument[]): void {
  const from = world.node(toInteger(valueOf(args, 'from')));
  const to = world.node(toInteger(valueOf(args, 'to')));
  from.core.transferLeader(to.id);
}

export function forgetLeader(world: World, args: readonly Argument[]): void {
  world.firstNode(args).core.forgetLeader();
}

/** `report-unreachable 1 2`: node 1 hears that node 2 does not. */
export function reportUnreachable(world: World, args: readonly Argument[]): void {
  const [reporter, reported, ...others] = world.nodesOf(args);
  if (reporter === undefined || reported === undefined || others.length > 0) {
    throw new CommandError('must specify exactly two node indexes: node on which to report, and reported node');
  }
  reporter.core.reportUnreachable(reported.id);
}

/** `compact 1 15`: node 1 lets go of its log up to index 15. */
export function compact(world: World, args: readonly Argument[]): void {
  const node = world.firstNode(args);
  node.storage.compact(parseUnsigned(argumentAt(args, 1).key));
  showLog(world, node);
}
