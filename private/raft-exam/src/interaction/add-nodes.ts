/** The command `add-nodes`. */

import { EMPTY_CONFIGURATION, type NodeId, type Snapshot } from '@kayadb/raft';

import { argumentAt, eachValue, toBoolean, toInteger } from '../script/arguments.ts';
import { CommandError } from '../script/command-error.ts';
import type { Argument } from '../script/parse-line.ts';
import { type NodeOptions, ScriptNode } from './script-node.ts';
import type { World } from './world.ts';

type MutableOptions = { -readonly [Key in keyof NodeOptions]: NodeOptions[Key] };

interface Settings {
  readonly options: MutableOptions;
  readonly voters: NodeId[];
  readonly learners: NodeId[];
  index: number;
  content: string;
}

const SETTERS: { readonly [key: string]: ((settings: Settings, value: string) => void) | undefined } = {
  voters: ({ voters }, value) => voters.push(toInteger(value)),
  learners: ({ learners }, value) => learners.push(toInteger(value)),
  index: (settings, value) => {
    settings.index = toInteger(value);
  },
  content: (settings, value) => {
    settings.content = value;
  },
  inflight: ({ options }, value) => {
    options.maxInflightMessages = toInteger(value);
  },
  prevote: ({ options }, value) => {
    options.preVote = toBoolean(value);
  },
  checkquorum: ({ options }, value) => {
    options.checkQuorum = toBoolean(value);
  },
  'async-storage-writes': ({ options }, value) => {
    options.asyncStorageWrites = toBoolean(value);
  },
  'max-committed-size-per-ready': ({ options }, value) => {
    // 0 means that there is no limit.
    options.maxCommittedBytesPerReady = toInteger(value) === 0 ? Number.MAX_SAFE_INTEGER : toInteger(value);
  },
  'disable-conf-change-validation': ({ options }, value) => {
    options.disableConfigChangeValidation = toBoolean(value);
  },
  'step-down-on-removal': ({ options }, value) => {
    options.stepDownOnRemoval = toBoolean(value);
  },
  'read-only': ({ options }, value) => {
    options.readOnly = toReadOnly(value);
  },
};

/** `add-nodes 3 voters=(1,2,3) index=10`: nodes with the next ids, all from the same snapshot. What is not known is passed over. */
export function addNodes(world: World, args: readonly Argument[]): void {
  const count = toInteger(argumentAt(args, 0).key);
  const settings: Settings = { options: {}, voters: [], learners: [], index: 0, content: '' };
  for (const { key, value } of eachValue(args.slice(1))) SETTERS[key]?.(settings, value);
  const snapshot = snapshotOf(settings);
  const options = { ...settings.options, checkInvariants: world.checkInvariants };
  for (let i = 0; i < count; i++) {
    world.nodes.push(new ScriptNode(world.nodes.length + 1, options, snapshot, world.output));
  }
}

/** @throws CommandError when there is something to start from, but no index above 1 for it. */
function snapshotOf({ voters, learners, index, content }: Settings): Snapshot {
  const isEmpty = voters.length === 0 && learners.length === 0 && index === 0 && content === '';
  if (!isEmpty && index <= 1) throw new CommandError('index must be specified as > 1 due to bootstrap');
  const configuration = { ...EMPTY_CONFIGURATION, voters: ascending(voters), learners: ascending(learners) };
  return { meta: { index, term: isEmpty ? 0 : 1, configuration }, data: new TextEncoder().encode(content) };
}

function ascending(ids: readonly NodeId[]): readonly NodeId[] {
  return [...new Set(ids)].toSorted((a, b) => a - b);
}

function toReadOnly(value: string): 'safe' | 'lease' {
  if (value === 'safe') return 'safe';
  if (value === 'lease-based') return 'lease';
  throw new CommandError(`invalid read-only option ${JSON.stringify(value)}`);
}
