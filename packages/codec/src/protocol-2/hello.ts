/**
 * How a connection, which begins in version 1, goes over to version 2: decided here for both sides, done by them.
 * Format: docs/format/wire-2.md, the first paragraph; docs/format/wire.md, HELLO.
 */

import { DecodeError } from '../errors.ts';
import type { InvalidArgumentResponse, Response, VersionResponse } from '../protocol/response.ts';
import { PROTOCOL_VERSION } from '../protocol/wire-format.ts';
import { PROTOCOL_VERSION_2 } from './wire-format-2.ts';

/** What the bytes of a connection mean, in both directions. */
export type SpokenVersion = typeof PROTOCOL_VERSION | typeof PROTOCOL_VERSION_2;

export interface HelloAnswer {
  /** A response of version 1, whatever comes next. */
  readonly response: VersionResponse | InvalidArgumentResponse;
  /** Of the next frame that is read, and of what is sent behind the response. */
  readonly next: SpokenVersion;
}

export interface HelloCircumstances {
  /** Whether nothing came before it on its connection. */
  readonly isFirstRequest: boolean;
  /** The highest version that the node serves. */
  readonly highest: SpokenVersion;
}

/**
 * What a node says to a HELLO in version 1, and which version the connection has from there on.
 *
 * @param version - That the client asked for.
 */
export function answerHello(version: number, { isFirstRequest, highest }: HelloCircumstances): HelloAnswer {
  if (version <= PROTOCOL_VERSION) return agree(PROTOCOL_VERSION);
  if (version > highest) {
    return refuse(`protocol version ${version} is not supported; this server speaks ${describe(highest)}`);
  }
  if (isFirstRequest) return agree(PROTOCOL_VERSION_2);
  // Answers to what came before may still be on their way in version 1.
  return refuse(`protocol version ${version} is agreed on in the first request of a connection; open another one`);
}

/**
 * Which version a connection has for the client, behind the answer to its HELLO.
 *
 * @param version - That the client asked for.
 * @returns 1 too when the node refuses: it goes on in version 1.
 * @throws DecodeError for a version that was not asked for.
 */
export function versionBehindHello(version: SpokenVersion, answer: Response): SpokenVersion {
  if (answer.kind !== 'version') return PROTOCOL_VERSION;
  if (answer.version === version) return version;
  if (answer.version === PROTOCOL_VERSION) return PROTOCOL_VERSION;
  throw new DecodeError(`the node answers HELLO ${version} with version ${answer.version}`, 0);
}

function agree(version: SpokenVersion): HelloAnswer {
  return { response: { kind: 'version', version }, next: version };
}

function refuse(message: string): HelloAnswer {
  return { response: { kind: 'invalid-argument', message }, next: PROTOCOL_VERSION };
}

function describe(highest: SpokenVersion): string {
  return highest === PROTOCOL_VERSION ? '1' : '1 and 2';
}
