/** The client of protocol 1 as the workload wants it: puts, deletes and reads of one key, without conditions and without revisions. */

import { type Client, ClientError } from '@kayadb/client';
import {
  type NoAnswer,
  outcomeOf,
  type ReadAction,
  type ReadOutcome,
  type StoreClient,
  type WriteAction,
  type WriteOutcome,
} from '@kayadb/testkit';

/** What to leave out of the workload's mix. */
export const V1_MIX = { 'get-many': 0, compare: 0, batch: 0, append: 0 } as const;

/** Requires: the client does not try again by itself, or a put could be done twice. */
export function v1StoreClient(client: Client): StoreClient {
  return {
    read: ({ keys }: ReadAction) =>
      outcomeOf(async (): Promise<ReadOutcome> => {
        const value = await client.get(onlyOf(keys));
        return { kind: 'rows', rows: [value === undefined ? null : { value: Buffer.from(value).toString() }] };
      }, judge),
    write: ({ conditions, changes, otherwise }: WriteAction) =>
      outcomeOf(async (): Promise<WriteOutcome> => {
        const change = onlyOf(changes);
        if (conditions.length + otherwise.length > 0) throw new RangeError('protocol 1 has no conditions');
        if (change.kind === 'put') await client.put(change.key, change.value);
        else await client.delete(change.key);
        return { kind: 'written' };
      }, judge),
  };
}

function judge(error: unknown): NoAnswer | undefined {
  if (!(error instanceof ClientError)) return undefined;
  return { kind: error.isOutcomeUnknown ? 'unknown' : 'not-done', reason: error.code };
}

function onlyOf<Item>(items: readonly Item[]): Item {
  if (items.length !== 1) throw new RangeError(`protocol 1 takes one key at a time, not ${items.length}`);
  return items[0]!;
}
