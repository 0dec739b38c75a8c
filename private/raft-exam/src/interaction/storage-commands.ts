/** The commands that do what a core asks for: `process-ready`, `process-append-thread` and `process-apply-thread`. */

import { assert } from '@kayadb/codec';
import { isLocalThread, type Message } from '@kayadb/raft';

import type { Argument } from '../script/parse-line.ts';
import { describeMessage } from '../words/describe-message.ts';
import { describeReady } from '../words/describe-ready.ts';
import type { ScriptNode } from './script-node.ts';
import type { World } from './world.ts';

export function processReadyOf(world: World, args: readonly Argument[]): void {
  forEachNode(world, args, 'handling Ready', (node) => processReady(world, node));
}

export function processAppendThreadOf(world: World, args: readonly Argument[]): void {
  forEachNode(world, args, 'processing append thread', (node) => processAppendThread(world, node));
}

export function processApplyThreadOf(world: World, args: readonly Argument[]): void {
  forEachNode(world, args, 'processing apply thread', (node) => processApplyThread(world, node));
}

/** With more than one node, each of them gets a line above what it prints. */
function forEachNode(world: World, args: readonly Argument[], doing: string, work: (node: ScriptNode) => void): void {
  const nodes = world.nodesOf(args);
  for (const node of nodes) {
    if (nodes.length === 1) {
      work(node);
    } else {
      world.output.write(`> ${node.id} ${doing}\n`);
      world.output.indented(() => work(node));
    }
  }
}

/** Prints what a core has, and does it: stores, applies, sends, and says so. */
export function processReady(world: World, node: ScriptNode): void {
  const ready = node.core.ready();
  world.output.write(describeReady(ready));
  if (!node.isAsync) {
    node.store(ready.hardState, ready.entries, ready.snapshot);
    node.apply(ready.committedEntries);
  }
  for (const message of ready.messages) route(world, node, message);
  if (!node.isAsync) node.core.advance();
}

function route(world: World, node: ScriptNode, message: Message): void {
  if (!isLocalThread(message.to)) world.inFlight.send([message]);
  else if (message.kind === 'storage-append') node.appendWork.push(message);
  else if (message.kind === 'storage-apply') node.applyWork.push(message);
  else assert(false, `${message.kind} is nothing for a thread`);
}

/** Does the oldest work of a node's append thread. */
export function processAppendThread(world: World, node: ScriptNode): void {
  const work = node.appendWork.shift();
  if (work === undefined) {
    world.output.write('no append work to perform');
    return;
  }
  world.output.write(`Processing:\n${describeMessage({ ...work, responses: [] })}\n`);
  node.store(work.hardState, work.entries, work.snapshot);
  respond(world, work.responses);
}

/** Does the oldest work of a node's apply thread. */
export function processApplyThread(world: World, node: ScriptNode): void {
  const work = node.applyWork.shift();
  if (work === undefined) {
    world.output.write('no apply work to perform');
    return;
  }
  world.output.write(`Processing:\n${describeMessage({ ...work, responses: [] })}\n`);
  node.apply(work.entries);
  respond(world, work.responses);
}

function respond(world: World, responses: readonly Message[]): void {
  world.output.write(`Responses:\n${responses.map((response) => `${describeMessage(response)}\n`).join('')}`);
  world.inFlight.send(responses);
}
