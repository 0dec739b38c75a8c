/** The commands that bring messages to nodes: `deliver-msgs`, `send-snapshot`, and `stabilize`, which does everything until nothing is left. */

import type { Message, MessageKind } from '@kayadb/raft';

import { toInteger } from '../script/arguments.ts';
import type { Argument } from '../script/parse-line.ts';
import { ScriptError } from '../script/script-error.ts';
import { describeMessage } from '../words/describe-message.ts';
import { MESSAGE_WORDS } from '../words/message-kinds.ts';
import type { Delivery } from './in-flight.ts';
import type { ScriptNode } from './script-node.ts';
import { processAppendThread, processApplyThread, processReady } from './storage-commands.ts';
import type { World } from './world.ts';

/** `deliver-msgs 1 2 type=MsgApp drop=(3)`. */
export function deliverMessages(world: World, args: readonly Argument[]): void {
  const deliveries: Delivery[] = [];
  let kind: MessageKind | undefined;
  for (const { key, values } of args) {
    if (values.length === 0) deliveries.push({ to: toInteger(key), isDropped: false });
    for (const value of values) {
      if (key === 'drop') deliveries.push(dropTo(toInteger(value), deliveries));
      else if (key === 'type') kind = kindOf(value);
    }
  }
  if (deliver(world, deliveries, kind) === 0) world.output.write('no messages\n');
}

/** `send-snapshot 1 3`: the newest snapshot of node 1 goes on its way to node 3. */
export function sendSnapshot(world: World, args: readonly Argument[]): void {
  const [from, to, ...others] = world.nodesOf(args);
  if (from === undefined || to === undefined || others.length > 0) throw new ScriptError('two nodes are needed');
  const message: Message = {
    kind: 'snapshot',
    from: from.id,
    to: to.id,
    term: from.core.status().term,
    snapshot: from.newestSnapshot,
  };
  world.inFlight.send([message]);
  world.output.write(describeMessage(message));
}

/** `stabilize 1 2 log-level=none`: of these nodes, or of all, until none of them has anything to do. */
export function stabilize(world: World, args: readonly Argument[]): void {
  const chosen = world.nodesOf(args);
  const nodes = chosen.length > 0 ? chosen : [...world.nodes];
  world.output.keepingLevel(() => {
    for (const { key, values } of args) {
      if (key === 'log-level') for (const value of values) world.output.setLevel(value);
    }
    while (stabilizeOnce(world, nodes));
  });
}

/** @returns Whether anything was done. */
function stabilizeOnce(world: World, nodes: readonly ScriptNode[]): boolean {
  const steps: readonly Step[] = [
    { doing: 'handling Ready', hasWork: ({ core }) => core.hasReady, work: (node) => processReady(world, node) },
    {
      doing: 'receiving messages',
      hasWork: ({ id }) => world.inFlight.hasFor(id),
      work: ({ id }) => deliver(world, [{ to: id, isDropped: false }], undefined),
    },
    {
      doing: 'processing append thread',
      hasWork: ({ appendWork }) => appendWork.length > 0,
      work: (node) => {
        while (node.appendWork.length > 0) processAppendThread(world, node);
      },
    },
    {
      doing: 'processing apply thread',
      hasWork: ({ applyWork }) => applyWork.length > 0,
      work: (node) => {
        while (node.applyWork.length > 0) processApplyThread(world, node);
      },
    },
  ];
  let hasWorked = false;
  for (const { doing, hasWork, work } of steps) {
    for (const node of nodes) {
      if (!hasWork(node)) continue;
      world.output.write(`> ${node.id} ${doing}\n`);
      world.output.indented(() => work(node));
      hasWorked = true;
    }
  }
  return hasWorked;
}

interface Step {
  readonly doing: string;
  readonly hasWork: (node: ScriptNode) => boolean;
  readonly work: (node: ScriptNode) => void;
}

/** @returns How many messages were delivered or dropped. */
function deliver(world: World, deliveries: readonly Delivery[], kind: MessageKind | undefined): number {
  let count = 0;
  for (const delivery of deliveries) {
    const messages = world.inFlight.take(delivery, kind);
    count += messages.length;
    for (const message of messages) {
      world.output.write(`${delivery.isDropped ? 'dropped: ' : ''}${describeMessage(message)}\n`);
      if (!delivery.isDropped) step(world, message);
    }
  }
  return count;
}

function step(world: World, message: Message): void {
  const { kind } = world.node(message.to).core.step(message);
  if (kind === 'dropped') world.output.write('raft proposal dropped\n');
  else if (kind === 'foreign-local-message') world.output.write('raft: cannot step raft local message\n');
  else if (kind === 'unknown-peer') world.output.write('raft: cannot step as peer not found\n');
}

function dropTo(to: number, deliveries: readonly Delivery[]): Delivery {
  if (deliveries.some((other) => other.to === to)) throw new ScriptError(`can't both deliver and drop msgs to ${to}`);
  return { to, isDropped: true };
}

function kindOf(word: string): MessageKind {
  const found = Object.entries(MESSAGE_WORDS).find(([, other]) => other === word);
  if (found === undefined) throw new ScriptError(`unknown message type ${word}`);
  return found[0] as MessageKind;
}
