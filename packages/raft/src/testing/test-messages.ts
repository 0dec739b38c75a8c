/** Messages and configurations for tests, with what does not matter left out. */

import type {
  AppendRequest,
  AppendResponse,
  Heartbeat,
  HeartbeatResponse,
  Message,
  MessageKind,
  SnapshotRequest,
  VoteRequest,
  VoteResponse,
} from '../core/message.ts';
import { type Configuration, EMPTY_CONFIGURATION, type NodeId, type Snapshot, type Term } from '../core/types.ts';

/** The fields that say who speaks to whom and when; the others have a default. */
type Fields<M extends { readonly term: Term }> = Partial<Omit<M, 'kind'>> & Pick<M, 'term'> & Between;

interface Between {
  readonly from: NodeId;
  readonly to: NodeId;
}

const NO_BYTES = new Uint8Array(0);

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export function configurationOf(voters: readonly NodeId[], rest: Partial<Configuration> = {}): Configuration {
  return { ...EMPTY_CONFIGURATION, voters, ...rest };
}

/** Of a log without an entry, if nothing else is said. */
export function voteRequest(kind: VoteRequest['kind'], fields: Fields<VoteRequest>): VoteRequest {
  return { kind, lastIndex: 0, lastTerm: 0, commit: 0, commitTerm: 0, isTransfer: false, ...fields };
}

/** A granted one, if nothing else is said. */
export function voteResponse(kind: VoteResponse['kind'], fields: Fields<VoteResponse>): VoteResponse {
  return { kind, isRejected: false, commit: 0, commitTerm: 0, ...fields };
}

/** An empty one at the beginning of the log, if nothing else is said. */
export function appendRequest(fields: Fields<AppendRequest>): AppendRequest {
  return { kind: 'append', prevIndex: 0, prevTerm: 0, entries: [], commit: 0, ...fields };
}

/** An acknowledgement, if nothing else is said. */
export function appendResponse(fields: Fields<AppendResponse>): AppendResponse {
  return { kind: 'append-response', index: 0, isRejected: false, hintIndex: 0, hintTerm: 0, ...fields };
}

export function heartbeat(fields: Fields<Heartbeat>): Heartbeat {
  return { kind: 'heartbeat', commit: 0, context: NO_BYTES, ...fields };
}

export function heartbeatResponse(fields: Fields<HeartbeatResponse>): HeartbeatResponse {
  return { kind: 'heartbeat-response', context: NO_BYTES, ...fields };
}

export function snapshotRequest(
  fields: Between & { readonly term: Term; readonly snapshot: Snapshot },
): SnapshotRequest {
  return { kind: 'snapshot', ...fields };
}

/** Those of `messages` that are of `kind`, in their order. */
export function ofKind<K extends MessageKind>(
  messages: readonly Message[],
  kind: K,
): readonly Extract<Message, { kind: K }>[] {
  return messages.filter((message): message is Extract<Message, { kind: K }> => message.kind === kind);
}
