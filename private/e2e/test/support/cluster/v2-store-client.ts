/** The client of protocol 2 as the workload wants it: everything that the workload can ask for, with reads of every level that promises to be linearizable, at every node. */

import { type Client, ClientError, type StoredValue } from '@kayadb/client';
import {
  type NoAnswer,
  outcomeOf,
  type ReadAction,
  type ReadOutcome,
  type SeenRow,
  type StoreClient,
  type WriteAction,
  type WriteOutcome,
} from '@kayadb/testkit';

export interface V2StoreClientOptions {
  /** Knows all nodes; its requests go to the leader. */
  readonly client: Client;
  /** Knows one node, and asks it, whatever it is. */
  readonly single: Client;
}

/** Ways to read that promise the same. */
const READS = [
  { to: 'client', level: 'linearizable' },
  { to: 'single', level: 'linearizable' },
  { to: 'client', level: 'lease' },
  { to: 'single', level: 'lease' },
] as const;

export function v2StoreClient(clients: V2StoreClientOptions): StoreClient {
  let readCount = 0;
  return {
    read: ({ keys }: ReadAction) =>
      outcomeOf(async (): Promise<ReadOutcome> => {
        const { to, level } = READS[readCount++ % READS.length]!;
        const [only] = keys;
        const rows =
          keys.length === 1 ? [await clients[to].getRow(only!, { level })] : await clients[to].getMany(keys, { level });
        return { kind: 'rows', rows: rows.map(seenRow) };
      }, judgeRead),
    write: ({ conditions, changes, otherwise }: WriteAction) =>
      outcomeOf(async (): Promise<WriteOutcome> => {
        const { revision, failedCondition } = await clients.client.compareAndBatch({
          conditions,
          operations: changes,
          otherwise,
        });
        return { kind: 'written', revision, ...(failedCondition === undefined ? {} : { failed: failedCondition }) };
      }, judgeWrite),
  };
}

function seenRow(row: StoredValue | undefined): SeenRow | null {
  return row === undefined ? null : { value: Buffer.from(row.value).toString(), revision: row.revision };
}

/** A read that failed was not done. */
function judgeRead(error: unknown): NoAnswer | undefined {
  return error instanceof ClientError ? { kind: 'not-done', reason: error.code } : undefined;
}

function judgeWrite(error: unknown): NoAnswer | undefined {
  if (!(error instanceof ClientError)) return undefined;
  return { kind: error.isOutcomeUnknown ? 'unknown' : 'not-done', reason: error.code };
}
