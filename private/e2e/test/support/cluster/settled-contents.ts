/** What each node holds when nobody writes: read through that node alone, which has to have all that was acknowledged before it answers. Elections meanwhile change nothing. */

import { createHash } from 'node:crypto';

import { type ClientOptions, connect } from '@kayadb/client';

export interface SettledContents {
  readonly rowCount: number;
  /** Over keys, values and revisions, in the order of the keys. */
  readonly hash: string;
}

/**
 * Reads one node after the other. Requires: nobody writes.
 *
 * @param onRow - Told of each row of each node, by the node's place in `addresses`.
 */
export async function readSettled(
  addresses: readonly string[],
  onRow: (place: number, key: string, value: string) => void,
  options: ClientOptions = {},
): Promise<readonly SettledContents[]> {
  const contents: SettledContents[] = [];
  for (const [place, address] of addresses.entries()) {
    await using client = connect(address, { deadlineMs: 60_000, ...options });
    const hash = createHash('sha256');
    let rowCount = 0;
    for await (const { key, value, revision } of client.scan('', { level: 'linearizable' })) {
      hash.update(`${key.length} ${value.length} ${revision}\n`).update(key).update(value);
      onRow(place, Buffer.from(key).toString(), Buffer.from(value).toString());
      rowCount++;
    }
    contents.push({ rowCount, hash: hash.digest('hex') });
  }
  return contents;
}
