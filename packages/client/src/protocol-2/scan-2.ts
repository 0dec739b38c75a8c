/**
 * A scan of version 2 as rows: pages are pulled, one ahead of the reader, from the one node that holds the state that they show.
 *
 * Invariant: rows come in order and each key once. They are of one revision unless the caller allows others: when the state is gone, the scan ends with
 * KAYA_SCAN_ENDED in the middle, and begins again in front of its first row. Going on elsewhere would mix two states without a word.
 * Bound: two pages in memory.
 */

import { copyBytes, type Page, type PageRow, type ScanRequest2 } from '@kayadb/codec';

import { ClientError } from '../client-error.ts';
import type { Row } from '../client.ts';

/** A scan that is open on a node. */
export interface OpenScan2 {
  readonly first: Page;
  /** @throws ScanLost when there are no more pages to be had of this state. */
  more(): Promise<Page>;
  /** Idempotent. @param isKnown - The node has ended it itself. */
  end(isKnown: boolean): void;
}

/** The state that a scan shows can not be reached any more. */
export class ScanLost extends Error {}

export interface ScanPlan {
  readonly request: ScanRequest2;
  readonly isAcrossRevisions: boolean;
  /** Retried by itself, since nothing was shown yet. @throws ClientError */
  readonly begin: (request: ScanRequest2) => Promise<OpenScan2>;
}

export async function* scanRows({ request, isAcrossRevisions, begin }: ScanPlan): AsyncGenerator<Row> {
  let rest = request;
  let count = 0;
  for (;;) {
    const scan = await begin(rest);
    let last: PageRow | undefined;
    let isAtEnd = false;
    try {
      for (let page = scan.first; ;) {
        isAtEnd = page.isLast;
        const next = isAtEnd ? undefined : settled(scan.more());
        for (const row of page.rows) {
          last = row;
          count++;
          yield { key: copyBytes(row.key), value: copyBytes(row.value), revision: row.revision };
        }
        if (next === undefined) return;
        page = unwrap(await next);
      }
    } catch (error) {
      if (!(error instanceof ScanLost)) throw error;
      if (count > 0 && !isAcrossRevisions) throw lostInTheMiddle(count, error);
    } finally {
      scan.end(isAtEnd);
    }
    if (last !== undefined) rest = behind(rest, last.key);
    if (request.limit > 0) {
      if (count >= request.limit) return;
      rest = { ...rest, limit: request.limit - count };
    }
  }
}

type Settled = { readonly page: Page } | { readonly error: unknown };

/** A page that was asked for ahead may fail long before anybody waits for it. */
function settled(page: Promise<Page>): Promise<Settled> {
  return page.then(
    (value) => ({ page: value }),
    (error: unknown) => ({ error }),
  );
}

function unwrap(result: Settled): Page {
  if ('error' in result) throw result.error;
  return result.page;
}

function behind(request: ScanRequest2, key: Uint8Array): ScanRequest2 {
  const { range } = request;
  const rest = request.isDescending
    ? { ...range, to: key, isToInclusive: false }
    : { ...range, from: key, isFromExclusive: true };
  return { ...request, range: rest };
}

function lostInTheMiddle(count: number, cause: ScanLost): ClientError {
  const message = `the state that the scan shows was lost behind ${count} rows (${cause.message}); begin again, or scan with acrossRevisions`;
  return new ClientError('KAYA_SCAN_ENDED', message, { cause });
}
