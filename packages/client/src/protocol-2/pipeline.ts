/** Many writes in version 2: a few batches, one after the other, so that the order holds whatever is lost. */

import type { Write } from '@kayadb/codec';

import { toWrite } from '../arguments.ts';
import { BatchError, type BatchOperationState, ClientError } from '../client-error.ts';
import type { PutOrDelete } from '../client.ts';
import { PIPELINE_BYTES, PIPELINE_OPERATIONS } from '../limits.ts';

/** @throws BatchError unless every operation was acknowledged. */
export async function runPipeline(
  operations: readonly PutOrDelete[],
  send: (write: Write) => Promise<unknown>,
): Promise<void> {
  // Judged piece by piece: all together may be more than one write may have.
  const all = operations.flatMap((each) => toWrite({ conditions: [], operations: [each] }).operations);
  for (let start = 0; start < all.length;) {
    const end = endOfPart(all, start);
    try {
      await send({ conditions: [], operations: all.slice(start, end), otherwise: [] });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const states = all.map((_, at): BatchOperationState => {
        if (at < start) return 'acknowledged';
        if (at >= end) return 'not-sent';
        return error.isOutcomeUnknown ? 'unknown' : 'refused';
      });
      throw new BatchError(error, states);
    }
    start = end;
  }
}

/** @returns Index behind the part that begins at `start`: one operation at least. */
function endOfPart(operations: Write['operations'], start: number): number {
  let bytes = 0;
  let at = start;
  while (at < operations.length && at - start < PIPELINE_OPERATIONS && bytes < PIPELINE_BYTES) {
    const operation = operations[at++]!;
    if (operation.kind === 'put') bytes += operation.key.length + operation.value.length;
  }
  return at;
}
