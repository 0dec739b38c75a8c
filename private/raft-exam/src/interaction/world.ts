/** What the commands of a script act on: its nodes, the messages between them, and what was printed. */

import type { NodeId } from '@kayadb/raft';

import { argumentAt, toInteger } from '../script/arguments.ts';
import type { Argument } from '../script/parse-line.ts';
import { ScriptError } from '../script/script-error.ts';
import { InFlight } from './in-flight.ts';
import type { ScriptNode } from './script-node.ts';
import { ScriptOutput } from './script-output.ts';

export class World {
  readonly output = new ScriptOutput();
  readonly inFlight = new InFlight();
  /** Of ids 1, 2, 3 and so on. */
  readonly nodes: ScriptNode[] = [];
  /** Of every core, after every input. */
  readonly checkInvariants: boolean;

  constructor(checkInvariants: boolean) {
    this.checkInvariants = checkInvariants;
  }

  /** @throws ScriptError when there is none. */
  node(id: NodeId): ScriptNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new ScriptError(`there is no node ${id}`);
    return node;
  }

  /** Of the first argument. @throws ScriptError when it is none. */
  firstNode(args: readonly Argument[]): ScriptNode {
    return this.node(toInteger(argumentAt(args, 0).key));
  }

  /** Of all arguments without a value, in their order. @throws ScriptError when one is none. */
  nodesOf(args: readonly Argument[]): readonly ScriptNode[] {
    return args.filter(({ values }) => values.length === 0).map(({ key }) => this.node(toInteger(key)));
  }
}
