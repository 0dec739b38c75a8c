/** What single nodes hold, each by its own account and from its own disk, to be compared at one index of the log. */

import { createHash } from 'node:crypto';

import { type Client, type ClientOptions, connect } from '@kayadb/client';
import { realTime } from '@kayadb/testkit';

export interface NodeContents {
  /** Up to which the node has applied the log, before its rows were read and after. */
  readonly appliedIndex: number;
  readonly rowCount: number;
  /** Over keys, values and revisions, in the order of the keys. */
  readonly hash: string;
}

/** Bound: how long the nodes may take until all have applied the same. */
const DEADLINE_MS = 60_000;
const PAUSE_MS = 100;

/**
 * Reads every row of every node, when all have applied the log up to the same index and stay there. Requires: nobody writes.
 *
 * @param onRow - Told of each row of each node that is read, again when the nodes have to be read again.
 * @throws Error when they do not come to the same index in time.
 */
export async function readNodes(
  { addresses }: { readonly addresses: readonly string[] },
  onRow: (place: number, key: string, value: string) => void,
  options: ClientOptions = {},
): Promise<readonly NodeContents[]> {
  const clients = addresses.map((address) => connect(address, { timeoutMs: 20_000, ...options }));
  const deadlineMs = performance.now() + DEADLINE_MS;
  try {
    for (;;) {
      const before = await Promise.all(clients.map(appliedIndexOf));
      if (isOne(before)) {
        const contents: NodeContents[] = [];
        for (const [place, client] of clients.entries()) {
          const rows = await readRows(client, (key, value) => onRow(place, key, value));
          contents.push({ appliedIndex: await appliedIndexOf(client), ...rows });
        }
        if (isOne([...before, ...contents.map(({ appliedIndex }) => appliedIndex)])) return contents;
      }
      if (performance.now() > deadlineMs) throw new Error(`the nodes have applied ${before.join(', ')}`);
      await pause();
    }
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** The level is such that nobody else is asked, and nothing is waited for. */
async function readRows(
  client: Client,
  onRow: (key: string, value: string) => void,
): Promise<Pick<NodeContents, 'rowCount' | 'hash'>> {
  const hash = createHash('sha256');
  let rowCount = 0;
  for await (const { key, value, revision } of client.scan('', { level: 'stale' })) {
    hash.update(`${key.length} ${value.length} ${revision}\n`).update(key).update(value);
    onRow(Buffer.from(key).toString(), Buffer.from(value).toString());
    rowCount++;
  }
  return { rowCount, hash: hash.digest('hex') };
}

async function appliedIndexOf(client: Client): Promise<number> {
  return Number((await client.status())['applied_index']);
}

function isOne(values: readonly number[]): boolean {
  return new Set(values).size === 1;
}

function pause(): Promise<void> {
  return new Promise((resolve) => void realTime.setTimer(PAUSE_MS, resolve));
}
