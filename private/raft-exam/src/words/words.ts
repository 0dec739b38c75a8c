/** The shape of the tables that word events: one function for each kind, which gets the event and the id of the node that it is about. */

import type { RaftEvent } from '@kayadb/raft';

type EventOf<Kind, Event = RaftEvent> = Event extends { readonly kind: infer Own }
  ? Kind extends Own
    ? Event
    : never
  : never;

/** @param node - The id of the node whose core tells it, in hexadecimal as scripts have it. */
export type Words<Event extends RaftEvent = RaftEvent> = {
  readonly [Kind in Event['kind']]: (event: EventOf<Kind>, node: string) => string;
};

export function hexId(id: number): string {
  return id.toString(16);
}
