/** Refusals of the server as errors of the client. */

import { assertNever, OK_RESPONSE_KIND, type RefusalResponse, type Response, UNAUTHORIZED_TEXTS } from '@kayadb/codec';

import { ClientError, NotLeaderError, unknownOutcome } from '../client-error.ts';

const unauthorizedTexts: readonly string[] = Object.values(UNAUTHORIZED_TEXTS);

const okKinds: ReadonlySet<string> = new Set(Object.values(OK_RESPONSE_KIND));

/** Any status but 0. */
export function isRefusal(response: Response): response is RefusalResponse {
  return !okKinds.has(response.kind);
}

/** @param isOutcomeUnknown - An earlier try of the same write was not answered. */
export function errorOfRefusal(response: RefusalResponse, isOutcomeUnknown: boolean): ClientError {
  switch (response.kind) {
    case 'invalid-argument':
      return new ClientError('KAYA_INVALID_ARGUMENT', `the server refused the request: ${response.message}`);
    case 'error':
      if (unauthorizedTexts.includes(response.message)) {
        return new ClientError('KAYA_UNAUTHORIZED', `the server refused the credential: ${response.message}`);
      }
      return serverError(`the server could not do it: ${response.message}`, isOutcomeUnknown);
    case 'conflict':
      return serverError(`the server found a conflict: ${response.message}`, isOutcomeUnknown);
    case 'not-leader':
      return new NotLeaderError('the server is not the leader', response.leaderAddress);
    case 'range-moved':
      return serverError('the server no longer holds this key range', isOutcomeUnknown);
    case 'not-found':
      return new ClientError('KAYA_PROTOCOL', 'the server answered "not found" to a request that cannot have it');
    default:
      return assertNever(response, 'refusal');
  }
}

function serverError(message: string, isOutcomeUnknown: boolean): ClientError {
  const error = new ClientError('KAYA_SERVER', message);
  return isOutcomeUnknown ? unknownOutcome(error) : error;
}
