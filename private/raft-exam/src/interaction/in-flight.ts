/** Messages on their way between the nodes of a script, in the order in which they were sent. */

import { isLocalThread, type Message, type NodeId } from '@kayadb/raft';

export interface Delivery {
  readonly to: NodeId;
  /** Messages to oneself, and from or to a node's own threads, are never lost: they stay. */
  readonly isDropped: boolean;
}

export class InFlight {
  #messages: readonly Message[] = [];

  send(messages: readonly Message[]): void {
    this.#messages = [...this.#messages, ...messages];
  }

  hasFor(to: NodeId): boolean {
    return this.#messages.some((message) => message.to === to);
  }

  /** Takes the messages of a delivery, of one kind or of all. */
  take({ to, isDropped }: Delivery, kind: Message['kind'] | undefined): readonly Message[] {
    const isMeant = (message: Message): boolean =>
      message.to === to && !(isDropped && isReliable(message)) && (kind === undefined || message.kind === kind);
    const taken = this.#messages.filter(isMeant);
    this.#messages = this.#messages.filter((message) => !isMeant(message));
    return taken;
  }
}

function isReliable({ from, to }: Message): boolean {
  return from === to || isLocalThread(from) || isLocalThread(to);
}
