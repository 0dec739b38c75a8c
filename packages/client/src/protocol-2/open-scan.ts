/** SCAN and MORE: a scan lives on the connection that it was opened on. Format: docs/format/wire-2.md, "Requests". */

import { formatEndpoint } from '@kayadb/transport';

import type { ClientError } from '../client-error.ts';
import { awaitTry, type CallContext2, nodeDeadlineMs, runCall2 } from './call-2.ts';
import { judgeOutcome } from './judge-outcome.ts';
import type { Exchange2, Link } from './link.ts';
import { type OpenScan2, ScanLost, type ScanPlan } from './scan-2.ts';

/** Runs a call of the client: with its deadline, its signal, and a place among those that are pending. */
export type RunCall2 = <Result>(work: (context: CallContext2) => Promise<Result>) => Promise<Result>;

/** @throws ClientError */
export async function openScan(
  request: ScanPlan['request'],
  target: 'leader' | 'any',
  run: RunCall2,
): Promise<OpenScan2> {
  const { response, link, id } = await run(async (context) => {
    const answer = await runCall2({ makeRequest: () => request, target, effect: 'read' }, 'page', context);
    if (!answer.response.page.isLast) answer.link.keepScan(answer.id);
    return answer;
  });
  let asked: Exchange2 | undefined;
  return {
    first: response.page,
    more: () =>
      run(async (context) => {
        asked = link.start({ kind: 'more', scan: id }, nodeDeadlineMs(context.timeoutMs));
        const outcome = await awaitTry(asked, link, context);
        if (context.cancellation.error !== undefined) throw context.cancellation.error;
        const verdict = judgeOutcome(outcome, nameOf(link), context.timeoutMs);
        if (verdict.kind !== 'answered') throw lossOf(verdict.error);
        if (verdict.response.kind !== 'page') throw new ScanLost('the answer is not a page');
        return verdict.response.page;
      }),
    end: (isKnown) => {
      asked?.abandon();
      link.endScan(id, isKnown);
    },
  };
}

/** A credential that is refused is refused everywhere; anything else is about this node and this state. */
function lossOf(error: ClientError): Error {
  return error.code === 'KAYA_UNAUTHORIZED' ? error : new ScanLost(error.message, { cause: error });
}

function nameOf(link: Link): string {
  return formatEndpoint(link.endpoint);
}
