/**
 * Many writes, pipelined in order on one connection. Protocol v1 has no batch: this is not atomic, and others may see
 * or interleave with any part of it.
 *
 * Invariant: when a connection fails, everything from the first unacknowledged operation on is sent again, in order, also
 * what was acknowledged behind it. So the last write to a key wins whatever was lost.
 */

import type { RefusalResponse } from '@kayadb/codec';

import { BatchError, type BatchOperationState, ClientError } from '../client-error.ts';
import { awaitOutcome, type CallContext, type EncodedRequest, type ExchangeOutcome, Progress } from './call.ts';
import type { Channel, Exchange1 } from './channel.ts';
import { errorOfRefusal, isRefusal } from './refusal.ts';

type Answered = Extract<ExchangeOutcome, { readonly kind: 'answered' }>;

/** Bound: operations of one batch that are handed to the connection at a time. */
const BATCH_WINDOW = 512;

/** @throws BatchError unless every operation was acknowledged. */
export async function runBatch(requests: readonly EncodedRequest[], context: CallContext): Promise<void> {
  const states = requests.map((): BatchOperationState => 'not-sent');
  const progress = new Progress(context, true, true);
  for (;;) {
    const start = firstOpen(states);
    if (start === states.length) return;
    const channel = context.pool.pick();
    const outcome = await sendFrom(start, requests, states, channel, context);
    if (outcome === undefined) continue;
    if (firstOpen(states) > start) progress.reset();
    try {
      if (isFinalRefusal(outcome)) throw errorOfRefusal(outcome.response, false);
      await progress.handleFailure(outcome, channel.endpoint);
    } catch (error) {
      if (error instanceof ClientError) throw new BatchError(error, states);
      throw error;
    }
  }
}

/** Index of the first operation that is not acknowledged. */
function firstOpen(states: readonly BatchOperationState[]): number {
  const at = states.findIndex((state) => state !== 'acknowledged');
  return at < 0 ? states.length : at;
}

/** @returns The first outcome that is not an acknowledgement, once all that was started has settled. */
async function sendFrom(
  start: number,
  requests: readonly EncodedRequest[],
  states: BatchOperationState[],
  channel: Channel,
  context: CallContext,
): Promise<ExchangeOutcome | undefined> {
  const started: Exchange1[] = [];
  let failure: ExchangeOutcome | undefined;
  for (let at = start; at < requests.length; at++) {
    if (failure === undefined) startUpTo(at + BATCH_WINDOW, start, started, requests, channel);
    const exchange = started[at - start];
    if (exchange === undefined) break;
    const outcome = await awaitOutcome(exchange, context);
    states[at] = nextState(states[at]!, outcome);
    if (isAcknowledged(outcome)) continue;
    failure ??= outcome;
    // Answers come in order: who waits in vain for this one waits in vain for all behind it.
    if (outcome.kind === 'abandoned') for (const each of started) each.abandon();
  }
  return failure;
}

function startUpTo(
  end: number,
  start: number,
  started: Exchange1[],
  requests: readonly EncodedRequest[],
  channel: Channel,
): void {
  for (const { kind, frame } of requests.slice(start + started.length, end)) started.push(channel.start(kind, frame));
}

function isAcknowledged(outcome: ExchangeOutcome): boolean {
  return outcome.kind === 'answered' && outcome.response.kind === 'done';
}

/** NOT_LEADER is not final: another node may take the rest. */
function isFinalRefusal(outcome: ExchangeOutcome): outcome is Answered & { readonly response: RefusalResponse } {
  return outcome.kind === 'answered' && outcome.response.kind !== 'not-leader' && isRefusal(outcome.response);
}

/** What was acknowledged stays so; what was sent once without an answer stays unknown until it is acknowledged. */
function nextState(state: BatchOperationState, outcome: ExchangeOutcome): BatchOperationState {
  if (state === 'acknowledged' || isAcknowledged(outcome)) return 'acknowledged';
  if (state === 'unknown') return state;
  switch (outcome.kind) {
    case 'answered':
      return 'refused';
    case 'lost':
    case 'malformed':
      return 'unknown';
    case 'unsent':
      return state;
    case 'abandoned':
      return outcome.wasSent ? 'unknown' : state;
    default:
      return state;
  }
}
